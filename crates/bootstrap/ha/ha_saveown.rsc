# On a proved standby: a backup that can be loaded again at any time without a port speaking for the active.
/system script run ha_config
:global isMaster
:global haInterface
:global haSecret
:global haWriteFile
:global haDir
:if ($isMaster) do={ :error "ha_saveown: this router is active" }
:foreach port in=[/interface ethernet find default-name!=$haInterface comment!="HA_RESCUE"] do={
  :if (![/interface ethernet get $port disabled]) do={ :error "ha_saveown: a data port is on" }
  :if ([:tostr [/interface ethernet get $port mac-address]] != [:tostr [/interface ethernet get $port orig-mac-address]]) do={
    :error "ha_saveown: a data port has a foreign MAC"
  }
}
:local secret [$haSecret]
/system backup save name=($haDir . "HA_own") password=$secret
:local version "none"
:local file [/file find name="HA_config-version.txt"]
:if ([:len $file] = 1) do={ :set version [/file get $file contents] }
$haWriteFile fileName=($haDir . "HA_own-version") fileText=$version
/log warning ("ha_saveown: this standby's own backup is " . $haDir . "HA_own.backup")

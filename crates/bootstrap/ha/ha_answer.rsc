# What this router says of itself when the other one asks. Changes nothing.
/system script run ha_config
:global haIdentity
:global haInterface
:global haDir
:global isMaster
:global haStartupHAVersion
:local role "none"
:local vrrp [/interface vrrp find name="HA_VRRP"]
:if ([:len $vrrp] = 1) do={
  :if ([/interface vrrp get $vrrp backup]) do={ :set role "standby" }
  :if ($isMaster) do={ :set role "active" }
}
# Globals may be another user's, so a startup is known by what it logged.
:local done "no"
:local why "see its log"
:if (([:len [/log find buffer="memory" message~"ha_startup: DONE"]] > 0) or ([/system resource get uptime] > 5m)) do={ :set done "yes" }
# The last word counts: what failed may have been mended in place since.
:foreach line in=[/log find buffer="memory" message~"ha_startup: (FAILED|DONE)"] do={
  :if ([:typeof [:find [/log get $line message] "FAILED"]] = "num") do={
    :set done "failed"
    :if ([:typeof [:find [/log get $line message] "PORTS UNDER OTHER NAMES"]] = "num") do={ :set why "its ports came up under other names, a cold start may cure it" }
  } else={ :set done "yes" }
}
:local open 0
:local cloned 0
:foreach port in=[/interface ethernet find default-name!=$haInterface comment!="HA_RESCUE"] do={
  :if (![/interface ethernet get $port disabled]) do={ :set open ($open + 1) }
  :if ([:tostr [/interface ethernet get $port mac-address]] != [:tostr [/interface ethernet get $port orig-mac-address]]) do={
    :set cloned ($cloned + 1)
  }
}
:local version "none"
:local file [/file find name="HA_config-version.txt"]
:if ([:len $file] = 1) do={ :set version [/file get $file contents] }
:local saved "none"
:set file [/file find name=($haDir . "HA_own-version.txt")]
:if ([:len $file] = 1) do={ :set saved [/file get $file contents] }
:local exposed "nothing"
:set file [/file find name="HA_exposed.txt"]
:if ([:len $file] = 1) do={ :set exposed [/file get $file contents] }
/system script run ha_setconfigver
:global haMasterConfigVer
:local startup [/system script get [find name="ha_startup"] source]
:local begin ([:find $startup "haStartupHAVersion \""] + 20)
:local build [:pick $startup $begin ($begin + 60)]
:set build [:pick $build 0 [:find $build "\""]]
:put (" me=" . $haIdentity . "; role=" . $role . "; done=" . $done . "; why=" . $why . "; open=" . $open . "; cloned=" . $cloned . "; build=" . $build . ";")
:put (" version=" . $version . "; saved=" . $saved . "; exposed=" . $exposed . "; mine=" . $haMasterConfigVer . ";")

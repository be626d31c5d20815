# Whether the standby is ready to take over: asks, compares and says; pushes nothing. haInSync becomes yes, no, wait or unknown.
/system script run ha_config
:global isMaster
:global haIdentity
:global haAddressOther
:global haInSync "unknown"
:global haInSyncWhy ""
:local link [/file find name="HA_link.txt"]
:if ([:len $link] = 1) do={
  :local words [/file get $link contents]
  :if ([:pick $words 0 4] = "DEAD") do={ :put "ha_insync: HA LINK $words" }
}
:if (!$isMaster) do={
  :local version "none"
  :local file [/file find name="HA_config-version.txt"]
  :if ([:len $file] = 1) do={ :set version [/file get $file contents] }
  :put "ha_insync: this router is $haIdentity and not active; it holds: $version"
  :put "ha_insync: NOT MASTER, ask on the active router"
  :set haInSyncWhy "not active"
} else={
  /system script run ha_setconfigver
  /system script run ha_ask
  :global haMasterConfigVer
  :global haAnswer
  :global haAnswerWhy
  :global haField
  :if ([:len $haAnswer] = 0) do={
    :set haInSyncWhy "the other router does not answer at $haAddressOther: $haAnswerWhy"
  } else={
    :local version [$haField text=$haAnswer key="version"]
    :local me [$haField text=$haAnswer key="me"]
    :local role [$haField text=$haAnswer key="role"]
    :local done [$haField text=$haAnswer key="done"]
    :local open [$haField text=$haAnswer key="open"]
    :local cloned [$haField text=$haAnswer key="cloned"]
    :put "MASTER VERSION: !$haMasterConfigVer!"
    :put "STANDB VERSION: !$version!"
    :set haInSync "yes"
    :if ($haMasterConfigVer != $version) do={
      :set haInSync "no"
      :set haInSyncWhy "the standby holds another version"
    }
    :if (($haInSync = "yes") and ($role != "standby")) do={
      :set haInSync "no"
      :set haInSyncWhy "the other router is no standby, VRRP says: $role"
    }
    :if (($haInSync = "yes") and (($open != "0") or ($cloned != "0"))) do={
      :set haInSync "no"
      :set haInSyncWhy "the standby has $open open data ports and $cloned with a foreign MAC"
    }
    :if ($done = "failed") do={
      :set haInSync "no"
      :set haInSyncWhy ("the standby's startup failed, it does not take over: " . [$haField text=$haAnswer key="why"])
    }
    :if (($me != "none") and ($done = "no")) do={
      :set haInSync "wait"
      :set haInSyncWhy "the standby is still starting"
    }
    :local exposed [$haField text=$haAnswer key="exposed"]
    :if (([:len $exposed] > 0) and ($exposed != "nothing")) do={
      :put "ha_insync: at its last start, before its ports were closed, the other router spoke for this one: $exposed"
    }
    :if ($me = "none") do={
      :set haInSync "no"
      :set haInSyncWhy "the other router has no HA scripts yet"
    }
  }
  :local lacks [/file find name="HA_missing.txt"]
  :if ([:len $lacks] = 1) do={ :put ("ha_insync: files that the standby did not take:" . [/file get $lacks contents]) }
  /system script run ha_changed
  :global haChangedFiles
  :local rest $haChangedFiles
  :while ([:len $rest] > 0) do={
    :local end [:find $rest "\n"]
    :put ("ha_insync: " . [:pick $rest 0 $end] . " has changed since it was sent; it goes over, without a restart, once it stays as it is")
    :set rest [:pick $rest ($end + 1) [:len $rest]]
  }
  :set lacks [/file find name="HA_lacking.txt"]
  :if ([:len $lacks] = 1) do={ :put ("ha_insync: certificates that could not be exported, the standby has them not:" . [/file get $lacks contents]) }
  :if ($haInSync = "yes") do={
    :put "ha_insync: GOOD, the standby is ready"
  } else={
    :put "ha_insync: NOT READY ($haInSync): $haInSyncWhy"
  }
  # on-master opens every port that is not marked: what is off here on purpose would come up there
  :foreach port in=[/interface ethernet find disabled=yes] do={
    :local words [:tostr [/interface ethernet get $port comment]]
    :if ([:typeof [:find $words "HA_OFF"]] = "nil") do={
      :put ("ha_insync: " . [/interface ethernet get $port name] . " is off here and would be on after a switch; put HA_OFF into its comment to keep it off")
    }
  }
}

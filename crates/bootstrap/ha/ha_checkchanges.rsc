# On the active: asks the standby which version it runs and pushes when that is not the active's own.
# By itself it pushes twice at most: a version that does not settle would restart the standby for ever.
:global isStandbyInSync false
:global haSyncByHand
:local byHand ($haSyncByHand = true)
:set haSyncByHand false
:local busy [:len [/system script job find script="ha_checkchanges"]]
:if ($busy > 1) do={
  :put "ha_checkchanges: already running"
} else={
  /system script run ha_config
  :global isMaster
  :if (!$isMaster) do={
    :put "ha_checkchanges: NOT MASTER, nothing checked"
  } else={
    :global haWriteFile
    :global haDir
    :if ([:len [/system script job find script="ha_pushbackup"]] = 0) do={ /system script run ha_clean }
    :global haPreferMac
    :global haMacOther
    :local pushes 0
    :local file [/file find name=($haDir . "HA_pushes.txt")]
    :if ([:len $file] = 1) do={ :set pushes [:tonum [/file get $file contents]] }
    :if ([:typeof $pushes] != "num") do={ :set pushes 0 }
    /system script run ha_insync
    :global haInSync
    :global haInSyncWhy
    :global haPushedAt
    :global haPushedVer
    :global haAnswer
    :global haField
    :if (([:typeof $haPushedAt] = "time") and ($haInSync = "no") and (!$byHand)) do={
      # what it was given a moment ago it has not loaded yet
      :local fresh (([/system resource get uptime] - $haPushedAt) < 3m)
      :if ($fresh and ([$haField text=$haAnswer key="version"] != $haPushedVer)) do={ :set haInSync "wait" }
    }
    :if ($haInSync = "yes") do={
      :set isStandbyInSync true
      :put "ha_checkchanges: GOOD"
      :if ($pushes > 0) do={ $haWriteFile fileName=($haDir . "HA_pushes") fileText="0" }
      # before a switch all that was edited in place goes over
      :local preferred (([:len $haPreferMac] > 0) and ($haPreferMac = $haMacOther))
      :global haResendAll ($byHand or $preferred)
      /system script run ha_resend
      /system script run ha_askown
      :if ($preferred) do={
        /log warning "ha_checkchanges: the preferred router is ready, it gets the role"
        /system script run ha_handover
      }
    }
    :if ($haInSync = "no") do={
      :if (($pushes > 1) and (!$byHand)) do={
        /log error "ha_checkchanges: PAUSED, two pushes did not bring the standby in sync ($haInSyncWhy); HASyncStandby by hand tries again"
        :put "ha_checkchanges: PAUSED, two pushes did not bring the standby in sync"
      } else={
        :if ($byHand) do={ :set pushes 0 }
        $haWriteFile fileName=($haDir . "HA_pushes") fileText=[:tostr ($pushes + 1)]
        :put "ha_checkchanges: NEED TO PUSH"
        /system script run ha_pushbackup
      }
    }
    :if ($haInSync = "wait") do={ :put "ha_checkchanges: WAIT, the standby is still starting" }
    :if ($haInSync = "unknown") do={ :put "ha_checkchanges: GOT ERROR, $haInSyncWhy" }
  }
}

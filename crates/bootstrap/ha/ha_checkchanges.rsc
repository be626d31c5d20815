# On the active: asks the standby which version it runs and pushes when that is not the active's own.
:global isStandbyInSync false
:local busy [:len [/system script job find script="ha_checkchanges"]]
:if ($busy > 1) do={
  :put "ha_checkchanges: already running"
} else={
  /system script run ha_config
  :global isMaster
  :if (!$isMaster) do={
    :put "ha_checkchanges: NOT MASTER, nothing checked"
  } else={
    /system script run ha_setconfigver
    :global haMasterConfigVer
    :global haAddressOther
    :global haPassword
    :global haCheckStandbyVer ""
    :local answered false
    :do {
      /file remove [find name="HA_standby-version.txt"]
      /tool fetch upload=no mode=ftp address=$haAddressOther user="ha" password=$haPassword src-path="HA_config-version.txt" dst-path="HA_standby-version.txt"
      :local tries 0
      :while (([:len [/file find name="HA_standby-version.txt"]] = 0) and ($tries < 50)) do={
        :delay 0.1
        :set tries ($tries + 1)
      }
      :set haCheckStandbyVer [/file get [find name="HA_standby-version.txt"] contents]
      :set answered true
    } on-error={ :put "ha_checkchanges: GOT ERROR, the standby did not say its version" }
    :if ($answered) do={
      :put "MASTER VERSION: !$haMasterConfigVer!"
      :put "STANDB VERSION: !$haCheckStandbyVer!"
      :if ($haMasterConfigVer = $haCheckStandbyVer) do={
        :set isStandbyInSync true
        :put "ha_checkchanges: GOOD"
      } else={
        :put "ha_checkchanges: NEED TO PUSH"
        /system script run ha_pushbackup
      }
    }
  }
}

# On the active: gives the role to the standby by a reboot of this router, and only when the standby is proved to be in sync.
/system script run ha_config
:global isMaster
:global haPreferMac
:global haAddressOther
:global haPassword
:if (!$isMaster) do={ :error "ha_switchrole: NOT MASTER, nothing switched" }
:if ([:len $haPreferMac] > 0) do={ :error "ha_switchrole: haPreferMac is set, the roles would come back by themselves" }
/system script run ha_setconfigver
:global haMasterConfigVer
:local standbyVer ""
:do {
  /file remove [find name="HA_standby-version.txt"]
  /tool fetch upload=no mode=ftp address=$haAddressOther user="ha" password=$haPassword src-path="HA_config-version.txt" dst-path="HA_standby-version.txt"
  :delay 1
  :set standbyVer [/file get [find name="HA_standby-version.txt"] contents]
} on-error={ :error "ha_switchrole: NOT REBOOTING MYSELF, the standby does not answer" }
:if ($standbyVer != $haMasterConfigVer) do={ :error "ha_switchrole: NOT REBOOTING MYSELF, the standby is not in sync" }
:put "ha_switchrole: REBOOTING MYSELF"
:execute "/system reboot"

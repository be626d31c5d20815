# VRRP made this router the standby: close the data ports before anything else.
:global isMaster false
:global haInterface
:if ([:len $haInterface] = 0) do={ /system script run ha_config_base }
/interface ethernet disable [find default-name!=$haInterface comment!="HA_RESCUE"]
/log warning "ha_onbackup: data ports closed"
/system script run ha_config
/system script run ha_setidentity
:if ([:len [/system script find name="on_backup"]] = 1) do={
  :do { /system script run on_backup } on-error={ /log error "ha_onbackup: on_backup failed" }
}

# Makes this router a member of the pair named in ha_config_base. Safe to repeat.
/system script run ha_config
:global haInterface
:global haIdentity
:global haMacMe
:global haMacOther
:global haAddressOther
:global isMaster
:global haAllowBootstrap
:if ([:len [/interface ethernet find default-name=$haInterface name=$haInterface]] = 0) do={
  :error "ha_install: no ethernet port with name and default-name $haInterface"
}
:if ($haIdentity = "UNKNOWN") do={
  :error "ha_install: $haInterface of this router is $haMacMe, neither haMacA nor haMacB"
}
:foreach item in=[/ip address find interface=$haInterface] do={
  :error "ha_install: $haInterface has an IP address of its own"
}
:if ([:len [/file find name="HA_backup_beforeHA.backup"]] = 0) do={
  /system backup save name="HA_backup_beforeHA" dont-encrypt=yes
}
# The boot job closes the data ports itself, before it trusts any script: a restored standby carries the active's MACs.
:local close ("/interface ethernet disable [find default-name!=\"" . $haInterface . "\" comment!=\"HA_RESCUE\"]")
:local event (":do {:if ([/system resource get uptime] < 2m) do={" . $close . "}; /system script run ha_startup} ")
:set event ($event . "on-error={" . $close . "; /log error \"ha_startup: FAILED - DATA PORTS CLOSED\"}")
/system scheduler remove [find name="ha_startup"]
/system scheduler add name="ha_startup" comment="HA_AUTO" start-time=startup policy=ftp,reboot,read,write,policy,test,password,sniff,sensitive on-event=$event
# FTP serves the HA network only, unless the operator already runs it for others.
:if ([/ip service get [:pick [/ip service find name="ftp"] 0] disabled]) do={
  :execute "/ip service set ftp address=169.254.23.0/24"
  # the same property's name since 7.24; the one that the router doesn't know ends its own job only
  :execute "/ip service set ftp available-from=169.254.23.0/24"
}
:if ($isMaster) do={
  :put "ha_install: this router is $haIdentity and active; startup not repeated"
} else={
  :set haAllowBootstrap true
  /system script run ha_startup
}
:put "ha_install: this router is $haIdentity ($haMacMe)"
:put "ha_install: the other one is $haMacOther and gets $haAddressOther; bring it in with: jumplead bootstrap"

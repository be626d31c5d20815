# Makes this router a member of the pair named in ha_config_base. Safe to repeat, also on a router that is up for long.
/system script run ha_config
:global haInterface
:global haIdentity
:global haMacMe
:global haMacOther
:global haAddressOther
:global haSecret
:global haDir
:global haSync
:global isMaster
:global haAllowBootstrap
:local mePort [/interface ethernet find default-name=$haInterface name=$haInterface]
:if ([:len $mePort] = 0) do={
  :error "ha_install: no ethernet port with name and default-name $haInterface"
}
:if ($haIdentity = "UNKNOWN") do={
  :error "ha_install: $haInterface of this router is $haMacMe, neither haMacA nor haMacB"
}
:foreach item in=[/ip address find interface=$haInterface] do={
  :error "ha_install: $haInterface has an IP address of its own"
}
# Factory configurations have all ports but one in a bridge: startup could not make its own, and would leave all ports off.
:if ([:len [/interface bridge port find interface=$haInterface comment!="HA_AUTO"]] > 0) do={
  :error "ha_install: nothing changed, $haInterface is in a bridge: /interface bridge port remove [find interface=$haInterface]"
}
:foreach bond in=[/interface bonding find] do={
  :foreach slave in=[:toarray [/interface bonding get $bond slaves]] do={
    :if ($slave = $haInterface) do={ :error ("ha_install: nothing changed, $haInterface is a slave of " . [/interface bonding get $bond name]) }
  }
}
:local secret [$haSecret]
:if ([:len [/file find name=($haDir . "HA_backup_beforeHA.backup")]] = 0) do={
  /system backup save name=($haDir . "HA_backup_beforeHA") password=$secret
}
/system script run ha_macs
# The boot job closes the data ports itself, before it trusts any script: a restored standby carries the active's MACs.
# Only in a boot whose startup is not done: a restarted console runs it again, and must not take an active down.
:local close ("/interface ethernet disable [find default-name!=\"" . $haInterface . "\" comment!=\"HA_RESCUE\"]")
:local fresh "(([/system resource get uptime] < 5m) and ([:len [/log find buffer=\"memory\" message~\"ha_startup: DONE\"]] = 0))"
:local event (":do {:if " . $fresh . " do={" . $close . "}; /system script run ha_startup} ")
:set event ($event . "on-error={:if " . $fresh . " do={" . $close . "; /interface vrrp disable [find name=\"HA_VRRP\"]; /log error \"ha_startup: FAILED - DATA PORTS CLOSED\"} ")
:set event ($event . "else={/log error \"ha_startup: console restarted, its check failed, ports left as they are\"}}")
/system scheduler remove [find name="ha_startup"]
/system scheduler add name="ha_startup" comment="HA_AUTO" start-time=startup policy=ftp,reboot,read,write,policy,test,password,sniff,sensitive,romon on-event=$event
/system script run ha_ftp
:if ($isMaster) do={
  :put "ha_install: this router is $haIdentity and active; startup not repeated"
} else={
  # A startup that fails leaves what it found: whoever types this may come in by one of these ports.
  :local open [/interface ethernet find disabled=no]
  :local bonds [/interface bonding find disabled=no]
  :set haAllowBootstrap true
  :do { /system script run ha_startup } on-error={
    :set haAllowBootstrap false
    /interface ethernet enable $open
    /interface bonding enable $bonds
    :error "ha_install: startup failed, the ports are as they were; the log says how far it came"
  }
}
:put "ha_install: this router is $haIdentity ($haMacMe)"
:if ($haSync = "quiet") do={ /system script run ha_quietlist }
:put "ha_install: the other one is $haMacOther and gets $haAddressOther; bring it in with: jumplead bootstrap"
:put "ha_install: or by hand: log in to it with  /tool mac-telnet $haMacOther  and paste what  HABootstrap  prints"

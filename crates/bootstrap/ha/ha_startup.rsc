# Every boot: data ports closed first, then the HA port, its addresses and VRRP. VRRP alone opens data ports again.
:global haStartupHAVersion "@BUILD@"
:global haStartupHasRun
:global haAllowBootstrap
:local allowed true
# After a quiet sync a late port can make the sync's own call and the boot job meet: two at once would undo each other's work.
:local alone ([:len [/system script job find script="ha_startup"]] < 2)
:if (!$alone) do={
  :set allowed false
  /log warning "ha_startup: already running"
}
# A quiet sync that is not over has left its mark: it calls this script when all is there, and what a cut-off one left is
# for its own rescue.
:if ([:len [/system scheduler find name="ha_quiet"]] > 0) do={
  :set alone false
  :set allowed false
}
# A second run in one boot is a restarted console: closing ports would take an active down. The log outlives the console; only
# the one in memory, since a log on disk shows lines of earlier boots, too.
:if (([/system resource get uptime] > 5m) or ([:len [/log find buffer="memory" message~"ha_startup: DONE"]] > 0)) do={
  :if ($haAllowBootstrap != true) do={ :set allowed false }
}
:if ($alone and (!$allowed)) do={
  /log warning "ha_startup: console restarted, ports left as they are"
  /system script run ha_config
  :set haStartupHasRun [/system resource get uptime]
}
:if ($allowed) do={
  /log warning "ha_startup: START $haStartupHAVersion"
  /system script run ha_config_base
  :global haInterface
  /interface bonding disable [find comment!="HA_RESCUE"]
  /interface ethernet disable [find default-name!=$haInterface comment!="HA_RESCUE"]
  /interface vrrp disable [find name="HA_VRRP"]
  :do { /ip service set [:pick [/ip service find name="ftp"] 0] disabled=yes } on-error={}
  /log warning "ha_startup: 1 data ports closed"
  # What this start logs is what tells it from a restarted console: it must be in memory, whatever the logging rules say.
  :local kept 0
  :local looks 0
  :while (($kept = 0) and ($looks < 5)) do={
    :set kept [:len [/log find buffer="memory" message~"ha_startup: 1 data"]]
    :if ($kept = 0) do={ :delay 0.1 }
    :set looks ($looks + 1)
  }
  :if ($kept = 0) do={
    /system logging add topics=script,warning action=memory
    /system logging add topics=script,error action=memory
    /log warning "ha_startup: warnings of scripts were not logged to memory; now they are"
  }
  # what a sync left behind holds secrets, and goes whatever becomes of this start; the host keys are still wanted
  :do { /file remove [find name~"^(flash/)*HA_(restore-backup|quiet|scripts)"] } on-error={}
  # what they said before that; not on an install, where they are this router's own
  :global haExposed "nothing"
  :if ($haAllowBootstrap != true) do={ :do { /system script run ha_exposed } on-error={ :set haExposed "unknown" } }
  :local tries 0
  :while (([:len [/interface ethernet find default-name=$haInterface]] = 0) and ($tries < 1200)) do={
    :if ($tries = 0) do={ /log error "ha_startup: $haInterface is not there yet" }
    :delay 0.1
    :set tries ($tries + 1)
    /interface ethernet disable [find default-name!=$haInterface comment!="HA_RESCUE"]
  }
  /system script run ha_config
  :global haIdentity
  :global haMacMe
  :global haAddressMe
  :global haAddressOther
  :global haAddressVRRP
  :global haNetwork
  :global haNetmaskBits
  :global haInterfaceLogical
  :global haConfigVer ""
  :global haWriteFile
  :global haDir
  :global haSecret
  # Who this router is must be known before any port is opened or named: after a start ports may carry each other's names.
  :global haMacA
  :global haMacB
  :if ($haIdentity = "UNKNOWN") do={
    # The HA port came up under another name: what bears its name is a data port. Where it is merely another router's, it
    # stays open, so that the router can be reached there.
    :foreach port in=[/interface ethernet find default-name!=$haInterface] do={
      :local mac [:tostr [/interface ethernet get $port orig-mac-address]]
      :if (($mac = $haMacA) or ($mac = $haMacB)) do={ /interface ethernet disable [find default-name=$haInterface] }
    }
    /log error "ha_startup: I AM UNKNOWN - WRONG MAC $haMacMe"
    :error "ha_startup: I AM UNKNOWN - WRONG MAC $haMacMe"
  }
  :local ports "ports"
  :foreach port in=[/interface ethernet find] do={
    :set ports ($ports . "," . [/interface ethernet get $port default-name] . "=" . [:tostr [/interface ethernet get $port orig-mac-address]])
  }
  # A configuration belongs to the ports' names, and a port's default-name can't be set: under other names nothing of it is
  # right, and this router must not be active. The HA port comes up, so that the other one is told.
  :local permuted false
  :local file [/file find name=($haDir . "HA_ports.txt")]
  :if ([:len $file] = 1) do={
    :local before [/file get $file contents]
    # Each port by its name: one that is new, or comes later than before, is not under another's name, and the order says nothing.
    :foreach port in=[/interface ethernet find] do={
      :local mark ("," . [/interface ethernet get $port default-name] . "=")
      :local begin [:find ($before . ",") $mark]
      :if ([:typeof $begin] = "num") do={
        :set begin ($begin + [:len $mark])
        :if ([:pick $before $begin ($begin + 17)] != [:tostr [/interface ethernet get $port orig-mac-address]]) do={ :set permuted true }
      }
    }
    :if ($permuted) do={
      /log error ("ha_startup: the ports came up under other names than at the first start; a cold start may cure it. File " . $haDir . "HA_ports.txt has the right ones")
    }
    # a table that knows more ports than have come stays
    :if ([:len $ports] < [:len $before]) do={ :set ports $before }
  }
  /system script run ha_macs
  # a restore brought the active's MACs along, also to rescue ports
  /interface ethernet reset-mac-address [find]
  /interface ethernet enable [find default-name=$haInterface]
  /interface ethernet enable [find comment="HA_RESCUE"]
  /log warning "ha_startup: 2 I AM $haIdentity $haMacMe"
  :if (!$permuted) do={
    :do { $haWriteFile fileName=($haDir . "HA_ports") fileText=$ports } on-error={ /log error "ha_startup: HA_ports.txt was not written; goes on" }
  }
  :do {
    $haWriteFile fileName="HA_config-version" fileText="none"
    $haWriteFile fileName="HA_exposed" fileText=$haExposed
  } on-error={ /log error "ha_startup: files were not written; goes on" }
  /ip address remove [find comment="HA_AUTO"]
  /ip route remove [find comment="HA_AUTO"]
  /ip firewall filter remove [find comment="HA_AUTO"]
  /ip firewall raw remove [find comment="HA_AUTO"]
  /interface vrrp remove [find name="HA_VRRP"]
  /interface list member remove [find comment="HA_AUTO"]
  /interface bridge port remove [find comment="HA_AUTO"]
  /interface bridge remove [find comment="HA_AUTO"]
  /interface bridge add name=$haInterfaceLogical protocol-mode=none fast-forward=yes comment="HA_AUTO"
  # hw=no: a switch chip that is set up anew would bounce the neighbours of the HA port
  /interface bridge port add bridge=$haInterfaceLogical interface=$haInterface hw=no comment="HA_AUTO"
  /ip address add address="$haAddressMe/$haNetmaskBits" interface=$haInterfaceLogical comment="HA_AUTO"
  /ip route add gateway=$haAddressOther distance=250 comment="HA_AUTO"
  # Before all rules that somebody made; not by number, since where there is a fasttrack rule the first is the system's own. In
  # raw, too: MikroTik's own advanced firewall drops there whatever does not come from its two lists.
  :local rules [/ip firewall filter find where !dynamic]
  :if ([:len $rules] = 0) do={
    /ip firewall filter add chain=input action=accept in-interface=$haInterfaceLogical comment="HA_AUTO"
    /ip firewall filter add chain=output action=accept out-interface=$haInterfaceLogical comment="HA_AUTO"
  } else={
    :local first [:pick $rules 0]
    /ip firewall filter add chain=input action=accept in-interface=$haInterfaceLogical comment="HA_AUTO" place-before=$first
    /ip firewall filter add chain=output action=accept out-interface=$haInterfaceLogical comment="HA_AUTO" place-before=$first
  }
  :set rules [/ip firewall raw find where !dynamic]
  :if ([:len $rules] = 0) do={
    /ip firewall raw add chain=prerouting action=accept in-interface=$haInterfaceLogical comment="HA_AUTO"
    /ip firewall raw add chain=output action=accept out-interface=$haInterfaceLogical comment="HA_AUTO"
  } else={
    :local first [:pick $rules 0]
    /ip firewall raw add chain=prerouting action=accept in-interface=$haInterfaceLogical comment="HA_AUTO" place-before=$first
    /ip firewall raw add chain=output action=accept out-interface=$haInterfaceLogical comment="HA_AUTO" place-before=$first
  }
  /log warning "ha_startup: 3 HA port"
  # A standby inherits the active's hardening; the HA port must keep answering MAC-Telnet, MAC-Ping and discovery. From here to
  # VRRP nothing decides the role, and nothing that is refused ends the start: what is missing is logged.
  :do {
  :if ([:len [/interface list find name="HA_L2"]] = 0) do={ /interface list add name="HA_L2" comment="HA_AUTO" }
  /interface list member add list="HA_L2" interface=$haInterfaceLogical comment="HA_AUTO"
  :local telnetList [:tostr [/tool mac-server get allowed-interface-list]]
  :if ($telnetList = "none") do={ /tool mac-server set allowed-interface-list="HA_L2" } else={
    :if (($telnetList != "all") and ($telnetList != "static") and ($telnetList != "HA_L2")) do={
      :do { /interface list member add list=$telnetList interface=$haInterfaceLogical comment="HA_AUTO" } on-error={}
    }
  }
  :local discoverList [:tostr [/ip neighbor discovery-settings get discover-interface-list]]
  :if ($discoverList = "none") do={ /ip neighbor discovery-settings set discover-interface-list="HA_L2" } else={
    :if (($discoverList != "all") and ($discoverList != "static") and ($discoverList != "HA_L2") and ([:pick $discoverList 0 1] != "!")) do={
      :do { /interface list member add list=$discoverList interface=$haInterfaceLogical comment="HA_AUTO" } on-error={}
    }
  }
  /tool mac-server ping set enabled=yes
  } on-error={ /log error "ha_startup: MAC-Telnet, MAC-Ping or discovery was not set up on the HA port; goes on" }
  # A password is judged at every set, and the rules may be stricter than when this one was chosen. A router that has lost it is
  # another matter: it is no member any more.
  :local secret [$haSecret]
  :do {
    :if ([:len [/user find name="ha"]] = 0) do={
      /user add name="ha" group=full password=$secret address="$haNetwork/$haNetmaskBits" comment="HA_AUTO"
    } else={
      /user set [find name="ha"] group=full address="$haNetwork/$haNetmaskBits" comment="HA_AUTO"
      /user set [find name="ha"] password=$secret
    }
  } on-error={ /log error "ha_startup: the user ha was not set, syncs may fail; goes on" }
  # The active's SSH host keys, where a sync brought them; their names differ by version, the public halves are no use here.
  :foreach key in=[/file find name~"^(flash/)*HA_key_"] do={
    :local name [/file get $key name]
    :if ([:typeof [:find $name "_pub"]] = "nil") do={
      :do { /ip ssh import-host-key private-key-file=$name } on-error={ /log warning "ha_startup: host key $name was not taken" }
    }
  }
  :do { /file remove [find name~"^(flash/)*HA_key_"] } on-error={}
  :if ($permuted) do={
    /ip service set [:pick [/ip service find name="ftp"] 0] disabled=no
    :set haAllowBootstrap false
    /log error "ha_startup: FAILED - PORTS UNDER OTHER NAMES, data ports closed, VRRP off: this router does not take over"
    :error "ha_startup: ports under other names"
  }
  # Set here, once: what writes to it later makes a master resign. A router whose HA port has no link yet may believe that it is
  # alone, and gives way to an active when the link comes.
  :set tries 0
  :while ((![/interface ethernet get [find default-name=$haInterface] running]) and ($tries < 50)) do={
    :delay 0.1
    :set tries ($tries + 1)
  }
  :local priority 90
  :if (![/interface ethernet get [find default-name=$haInterface] running]) do={ :set priority 80 }
  /interface vrrp add name="HA_VRRP" interface=$haInterfaceLogical version=3 interval=1s priority=$priority preemption-mode=no on-master="ha_onmaster" on-backup="ha_onbackup" comment="HA_AUTO" disabled=yes
  /ip address add address="$haAddressVRRP/32" interface="HA_VRRP" comment="HA_AUTO"
  /log warning "ha_startup: 4 VRRP ready"
  /system scheduler remove [find comment="HA_AUTO" name!="ha_startup"]
  /system scheduler add name="ha_checkchanges" comment="HA_AUTO" start-time=00:10:00 interval=10m policy=ftp,reboot,read,write,policy,test,password,sniff,sensitive,romon on-event="/system script run ha_checkchanges"
  /system scheduler add name="ha_watch" comment="HA_AUTO" start-time=00:00:30 interval=1m policy=ftp,reboot,read,write,policy,test,password,sniff,sensitive,romon on-event="/system script run ha_watch"
  :local startDate [/system clock get date]
  :local startTime [/system clock get time]
  :do { $haWriteFile fileName="HA_boot" fileText="$startDate $startTime" } on-error={ /log error "ha_startup: HA_boot.txt was not written; goes on" }
  # The version that came with the configuration; it is named only now that everything before has worked.
  :if ([:len [/file find name=($haDir . "HA_run-after-hastartup.rsc")]] = 1) do={
    :do { /import file-name=($haDir . "HA_run-after-hastartup.rsc") } on-error={ /log error "ha_startup: no version came with this configuration" }
  }
  :if ([:len $haConfigVer] > 0) do={
    :do { $haWriteFile fileName="HA_config-version" fileText=$haConfigVer } on-error={ /log error "ha_startup: the version was not written; goes on" }
  }
  :do { /ip service set [:pick [/ip service find name="ftp"] 0] disabled=no } on-error={ /log error "ha_startup: FTP was not switched on, syncs fail; goes on" }
  # what VRRP runs from here on is meant
  /log warning "ha_startup: 5 VRRP on"
  /interface vrrp enable [find name="HA_VRRP"]
  :set haStartupHasRun [/system resource get uptime]
  :set haAllowBootstrap false
  /log warning "ha_startup: DONE"
  :if ([:len [/system script find name="on_startup"]] = 1) do={
    :do { /system script run on_startup } on-error={ /log error "ha_startup: on_startup failed" }
  }
}

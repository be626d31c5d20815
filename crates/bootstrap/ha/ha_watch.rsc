# Every minute, on both: is the other router there. The active can't know it from VRRP; the standby would only become active.
/system script run ha_config
:global haAddressOther
:global haInterface
:global haWriteFile
:local seen false
:local tries 0
:while ((!$seen) and ($tries < 3)) do={
  :do {
    :if ([:typeof [:find [:tostr [/ping $haAddressOther count=1 as-value]] "time="]] != "nil") do={ :set seen true }
  } on-error={}
  :set tries ($tries + 1)
}
:local before "unknown"
:local file [/file find name="HA_link.txt"]
:if ([:len $file] = 1) do={ :set before [/file get $file contents] }
:if ($seen) do={
  :if ([:pick $before 0 2] != "OK") do={
    $haWriteFile fileName="HA_link" fileText="OK"
    /log warning "ha_watch: HA LINK OK, the other router answers at $haAddressOther"
  }
} else={
  :local port "without link (cable out, or the other router is off)"
  :if ([/interface ethernet get [find default-name=$haInterface] running]) do={ :set port "with link (the other router is starting, or stuck)" }
  :if ([:pick $before 0 4] != "DEAD") do={
    :local date [/system clock get date]
    :local time [/system clock get time]
    $haWriteFile fileName="HA_link" fileText="DEAD since $date $time, $haInterface $port"
  }
  /log error "ha_watch: HA LINK DEAD, $haInterface $port; the other router may be active too: isolate one before the cable goes back in"
}

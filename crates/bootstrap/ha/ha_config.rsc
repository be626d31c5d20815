# Reads the pair's configuration and works out which of the two this router is.
# The HA port's burnt-in address decides; identity text and names may be the other router's after a restore.
# The functions of another build, or of none, are replaced; defining them each time would take longer than all the rest.
:global haFunctionsBuild
:if ($haFunctionsBuild != "@BUILD@") do={ /system script run ha_functions }
:global haPassword ""
:global haSync "backup"
/system script run ha_config_base
:global haInterface
:global haMacA
:global haMacB
:global haPreferMac
:global haWriteBase
# An earlier build kept the password in the base's text, and so in every export: it moves.
:if ([:len $haPassword] > 0) do={
  :if ([:len [/ppp secret find name="HA_PASSWORD"]] = 0) do={
    /ppp secret add name="HA_PASSWORD" password=$haPassword disabled=yes comment="HA_AUTO"
  }
  $haWriteBase port=$haInterface a=$haMacA b=$haMacB prefer=$haPreferMac way=$haSync
  :set haPassword ""
}
:global haNetwork "169.254.23.0"
:global haNetmaskBits "24"
:global haAddressA "169.254.23.1"
:global haAddressB "169.254.23.2"
:global haAddressVRRP "169.254.23.10"
:global haInterfaceLogical "bridge-$haInterface"
# Each global is set once, to what it is: this runs every minute and beside other scripts, which must not find them empty.
:local macMe ""
:local macOther ""
:local addressMe ""
:local addressOther ""
:local who "UNKNOWN"
:local master false
:local port [/interface ethernet find default-name=$haInterface]
:if ([:len $port] = 1) do={
  :set macMe [:tostr [/interface ethernet get $port orig-mac-address]]
}
:if ($macMe = $haMacA) do={
  :set who "A"
  :set macOther $haMacB
  :set addressMe $haAddressA
  :set addressOther $haAddressB
}
:if ($macMe = $haMacB) do={
  :set who "B"
  :set macOther $haMacA
  :set addressMe $haAddressB
  :set addressOther $haAddressA
}
# The role is read from VRRP itself: a global may belong to another user.
:local vrrp [/interface vrrp find name="HA_VRRP"]
:if ([:len $vrrp] = 1) do={
  :set master [/interface vrrp get $vrrp master]
}
:global haMacMe $macMe
:global haMacOther $macOther
:global haAddressMe $addressMe
:global haAddressOther $addressOther
:global haIdentity $who
:global isMaster $master

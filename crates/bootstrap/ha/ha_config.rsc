# Reads the pair's configuration and works out which of the two this router is.
# The HA port's burnt-in address decides; identity text and names may be the other router's after a restore.
/system script run ha_config_base
:global haInterface
:global haMacA
:global haMacB
:global haNetwork "169.254.23.0"
:global haNetmaskBits "24"
:global haAddressA "169.254.23.1"
:global haAddressB "169.254.23.2"
:global haAddressVRRP "169.254.23.10"
:global haInterfaceLogical "bridge-$haInterface"
:global haMacMe ""
:global haMacOther ""
:global haAddressMe ""
:global haAddressOther ""
:global haIdentity "UNKNOWN"
:global isMaster false
:local port [/interface ethernet find default-name=$haInterface]
:if ([:len $port] = 1) do={
  :set haMacMe [:tostr [/interface ethernet get $port orig-mac-address]]
}
:if ($haMacMe = $haMacA) do={
  :set haIdentity "A"
  :set haMacOther $haMacB
  :set haAddressMe $haAddressA
  :set haAddressOther $haAddressB
}
:if ($haMacMe = $haMacB) do={
  :set haIdentity "B"
  :set haMacOther $haMacA
  :set haAddressMe $haAddressB
  :set haAddressOther $haAddressA
}
# The role is read from VRRP itself: a global may belong to another user.
:local vrrp [/interface vrrp find name="HA_VRRP"]
:if ([:len $vrrp] = 1) do={
  :set isMaster [/interface vrrp get $vrrp master]
}
/system script run ha_functions

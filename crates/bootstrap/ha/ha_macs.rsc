# The MACs that the network knows the pair by: those of the data ports of the router that was first, written down once.
# They stay when routers are replaced.
:if ([:len [/system script find name="ha_service_macs"]] = 0) do={
  :global haInterface
  :local macs "macs"
  :foreach port in=[/interface ethernet find default-name!=$haInterface] do={
    :set macs ($macs . "," . [/interface ethernet get $port default-name] . "=" . [:tostr [/interface ethernet get $port mac-address]])
  }
  /system script add name="ha_service_macs" policy=ftp,reboot,read,write,policy,test,password,sniff,sensitive,romon source=(":global haServiceMacs \"" . $macs . "\"\n")
}

# How many bytes this router's export has, without what the role changes: the ports and bonds that it shuts, the MACs that it
# sets, and the schedulers, among which a quiet sync has its mark. Without comment lines, which say which items do not work at
# the moment, where this version can read them. Two routers with the same configuration have the same number. What an export is
# made of stays behind as HA_quiet-all.rsc.
:global haMeasure "unknown"
:global haExport
# on a router that is just being made again nothing has defined it
:if ([:typeof $haExport] = "nothing") do={ /system script run ha_functions }
:global haUncommented
/file remove [find name~"^HA_quiet-(all|part)"]
:local size [$haExport export="/export" file="HA_quiet-all"]
:local left [$haUncommented file="HA_quiet-all.rsc"]
:local readable ($left >= 0)
:if (!$readable) do={ :set left $size }
:foreach part in={"/interface ethernet";"/interface bonding";"/system scheduler"} do={
  :set size [$haExport export=($part . " export") file="HA_quiet-part"]
  :if ($readable) do={ :set size [$haUncommented file="HA_quiet-part.rsc"] }
  :set left ($left - $size)
  /file remove [find name="HA_quiet-part.rsc"]
}
# Each of the four has the same header, with a serial number whose length is each router's own.
:if (!$readable) do={
  :do { :set left ($left + (2 * [:len [/system routerboard get serial-number]])) } on-error={}
}
:set haMeasure $left

# How many bytes this router's export has, without what the role changes: the ports and bonds that it shuts, the MACs that it
# sets, and the schedulers, among which a quiet sync has its mark. Header and all: each part has the same one. Two routers
# with the same configuration have the same number. What an export is made of stays behind as HA_quiet-all.rsc.
:global haMeasure "unknown"
:global haExport
# on a router that is just being made again nothing has defined it
:if ([:typeof $haExport] = "nothing") do={ /system script run ha_functions }
/file remove [find name~"^HA_quiet-(all|part)"]
:local left [$haExport export="/export" file="HA_quiet-all"]
:foreach part in={"/interface ethernet";"/interface bonding";"/system scheduler"} do={
  :local size [$haExport export=($part . " export") file="HA_quiet-part"]
  :set left ($left - $size)
  /file remove [find name="HA_quiet-part.rsc"]
}
:set haMeasure $left

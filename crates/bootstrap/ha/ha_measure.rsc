# How many bytes this router's export has, without what the role changes: the ports and bonds that it shuts, the MACs that it
# sets, and the schedulers, among which a quiet sync has its mark. Header and all: each part has the same one. Two routers
# with the same configuration have the same number. What an export is made of stays behind as HA_quiet-all.rsc.
:global haMeasure "unknown"
:local write do={
  # What the export leaves out on 7.x unless asked is a word that 6.x does not know.
  :if ([:pick [/system resource get version] 0 1] = "6") do={ :execute ($export . " file=" . $file) } else={ :execute ($export . " show-sensitive file=" . $file) }
  :local target ($file . ".rsc")
  :local tries 0
  :while (([:len [/file find name=$target]] = 0) and ($tries < 600)) do={
    :delay 0.5
    :set tries ($tries + 1)
  }
  # a background writer may still be at it
  :local size -1
  :while ([/file get [find name=$target] size] != $size) do={
    :set size [/file get [find name=$target] size]
    :delay 1
  }
  :return $size
}
/file remove [find name~"^HA_quiet-(all|part)"]
:local left [$write export="/export" file="HA_quiet-all"]
:foreach part in={"/interface ethernet";"/interface bonding";"/system scheduler"} do={
  :local size [$write export=($part . " export") file="HA_quiet-part"]
  :set left ($left - $size)
  /file remove [find name="HA_quiet-part.rsc"]
}
:set haMeasure $left

# FTP must serve the HA network. Where it is off or serves nobody in particular it serves nobody else; what an operator
# has listed stays. The list is called address, and available-from since 7.24: only one of the two names is known.
:local ftp [:pick [/ip service find name="ftp"] 0]
# Several entries are an array, and its text has semicolons between them.
:local entries ""
:do { :set entries [/ip service get $ftp address] } on-error={
  :do { :set entries [/ip service get $ftp available-from] } on-error={}
}
:local list [:tostr $entries]
:if ([:typeof [:find $list "169.254.23.0/24"]] != "num") do={
  :local wanted "169.254.23.0/24"
  :local kept ""
  :if (([:len $list] > 0) and (![/ip service get $ftp disabled])) do={
    :foreach part in=$entries do={ :set kept ($kept . "," . [:tostr $part]) }
  }
  :if (([:len $list] > 0) or ([/ip service get $ftp disabled])) do={
    :execute ("/ip service set ftp address=" . $wanted . $kept)
    :execute ("/ip service set ftp available-from=" . $wanted . $kept)
  }
}

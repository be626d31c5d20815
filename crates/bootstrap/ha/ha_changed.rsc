# Which files of this router have other contents than when they went to the standby: same name, another size or time. They
# are no part of the version, since a file that is written to all the time would restart the standby for ever. What is known
# lies in globals: a start makes another version, and with it a push, which sends all of them.
:global haCarried
:global haChangedFiles ""
:global haSettledFiles ""
:global haFileStamps
:global haFileSeen
:global haFileNow ({})
:if ([:typeof $haFileSeen] != "array") do={ :set haFileSeen ({}) }
:local first ([:typeof $haFileStamps] != "array")
/system script run ha_filelist
:local listed [:parse (":return [/file find where " . $haCarried . "]")]
:local items [$listed]
:foreach item in=$items do={
  # one that is gone by now is a matter of the version
  :do { :if ([:tostr [/file get $item type]] != "directory") do={
    :local path [/file get $item name]
    :local stamp ([:tostr [/file get $item size]] . " ")
    :do { :set stamp ($stamp . [/file get $item creation-time]) } on-error={
      :do { :set stamp ($stamp . [/file get $item last-modified]) } on-error={}
    }
    :set ($haFileNow->$path) $stamp
    :if (!$first) do={
      # one that has come since is a matter of the version
      :if (([:typeof ($haFileStamps->$path)] = "str") and (($haFileStamps->$path) != $stamp)) do={
        :set haChangedFiles ($haChangedFiles . $path . "\n")
        :if (($haFileSeen->$path) = $stamp) do={ :set haSettledFiles ($haSettledFiles . $path . "\n") }
      }
    }
  } } on-error={}
}
:if ($first) do={ :set haFileStamps $haFileNow }

# Both ways: the files of this router go over with their directories, and what it has no longer is taken away there.
# Who runs this has run ha_config.
:global haTell
:global haQuote
:global haAnswer
:global haAnswerWhy
:global haUpload
:global haWriteFile
:global haPushWhy
/system script run ha_filelist
:global haCarried
:local listed [:parse (":return [/file find where " . $haCarried . "]")]
:local items [$listed]
# A list in parts, each a script that the standby runs: contents of a file are limited to 4095 bytes on 6.x. Directories are
# made by /file add, which is there since 7.9, or by a share, which makes its directory.
:local text ":global haKeep \"\\n\"\n:global haMakeDir do={\n:global haDirName \$path\n:if ([:len [/file find name=\$path]] = 0) do={\n"
:set text ($text . ":do {:local add [:parse \":global haDirName; /file add type=directory name=\\\$haDirName\"]; \$add} on-error={\n")
:set text ($text . ":do {:local share [:parse \":global haDirName; /ip smb shares add name=HA_mkdir directory=(\\\"/\\\" . \\\$haDirName)\"]; \$share; :delay 1} on-error={}\n")
:set text ($text . ":do {:local share [:parse \"/ip smb shares remove [find name=HA_mkdir]\"]; \$share} on-error={}\n}\n}\n}\n")
:foreach item in=$items do={
  :local path [/file get $item name]
  :local line (":set haKeep (\$haKeep . " . [$haQuote text=$path] . " . \"\\n\")\n")
  :if ([:tostr [/file get $item type]] = "directory") do={
    # those on the way to it first, whatever order the list has
    :local at [:find $path "/"]
    :while ([:typeof $at] = "num") do={
      :set line ($line . "\$haMakeDir path=" . [$haQuote text=[:pick $path 0 $at]] . "\n")
      :set at [:find $path "/" $at]
    }
    :set line ($line . "\$haMakeDir path=" . [$haQuote text=$path] . "\n")
  }
  :if (([:len $text] + [:len $line]) > 3200) do={
    $haTell text=$text
    :if ([:len $haAnswer] = 0) do={ :set haPushWhy "the standby did not take the list of files: $haAnswerWhy"; :error $haPushWhy }
    :set text ""
  }
  :if ([:len $text] = 0) do={ :set text ":global haKeep\n:global haMakeDir\n" }
  :set text ($text . $line)
}
$haTell text=$text
:if ([:len $haAnswer] = 0) do={ :set haPushWhy "the standby did not take the list of files: $haAnswerWhy"; :error $haPushWhy }
# A directory goes when nothing lies in it any more.
:set text ":global haKeep\n:local pass 0\n:while (\$pass < 6) do={\n:set pass (\$pass + 1)\n:local all \"\\n\"\n"
:set text ($text . ":foreach item in=[/file find] do={:set all (\$all . [/file get \$item name] . \"\\n\")}\n")
:set text ($text . ":foreach item in=[/file find where " . $haCarried . "] do={:do {\n:local name [/file get \$item name]\n")
:set text ($text . ":if (([:typeof [:find \$haKeep (\"\\n\" . \$name . \"\\n\")]] != \"num\") and ([:typeof [:find \$all (\"\\n\" . \$name . \"/\")]] != \"num\")) do={/file remove \$item}\n")
:set text ($text . "} on-error={}}\n}\n:global haKeep \"\"\n")
$haTell text=$text
:if ([:len $haAnswer] = 0) do={ :set haPushWhy "the standby did not take away old files: $haAnswerWhy"; :error $haPushWhy }
:local missing ""
:foreach item in=$items do={
  :local path [/file get $item name]
  :if ([:tostr [/file get $item type]] != "directory") do={
    :do { $haUpload fileFrom=$path fileTo=$path } on-error={
      :put "ha_pushbackup: $path was not copied"
      :if ([:len $missing] < 500) do={ :set missing ($missing . " " . $path) }
    }
  }
}
:if ([:len $missing] > 0) do={
  /log error "ha_pushbackup: files that the standby did not take:$missing"
  $haWriteFile fileName="HA_missing" fileText=$missing
} else={
  /file remove [find name="HA_missing.txt"]
}

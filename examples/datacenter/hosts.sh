#!/bin/sh
# Writes hosts_ZONE.rack.toml: four clusters of twenty hosts in each hall.
for hall in "1 east" "2 west" "3 north"; do
  set -- $hall
  awk -v net="$1" -v zone="$2" 'BEGIN {
    print "# Written by hosts.sh."
    for (c = 1; c <= 4; c++) for (n = 1; n <= 20; n++) {
      cluster = zone "_" substr("abcd", c, 1)
      printf "\n[host.%s%02d]\n", cluster, n
      printf "cluster       = \"cluster.%s\"\n", cluster
      printf "management_ip = \"10.%d.%d.%d\"\n", net, c, 10 + n
      printf "username      = \"root\"\npassword      = %c${var.ssh_password}%c\n", 39, 39
    }
  }' > "hosts_$2.rack.toml"
done

#!/bin/bash
# One-node Slurm on loopback, no systemd. Needs root and: apt-get install -y --no-install-recommends slurm-wlm munge
# usage: slurm-local.sh up DIR | slurm-local.sh down DIR     then: export SLURM_CONF=DIR/slurm.conf
set -euo pipefail
cmd=$1; dir=$2; mkdir -p "$dir"; dir=$(cd "$dir" && pwd); export SLURM_CONF=$dir/slurm.conf
case $cmd in
up)
  h=$(hostname -s)
  getent hosts "$h" | grep -q '^127\.' || { echo "$h must resolve to 127.0.0.1 (add it to /etc/hosts)" >&2; exit 1; }
  mkdir -p "$dir"/{state,spool,log}
  cpus=$(nproc); mem=$(awk '/MemTotal/{print int($2/1024*0.8)}' /proc/meminfo)
  cat > "$SLURM_CONF" <<C
ClusterName=local
SlurmctldHost=$h(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmctldPort=16817
SlurmdPort=16818
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd.log
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$dir/log/jobcomp.txt
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MaxArraySize=10001
MaxJobCount=20000
NodeName=$h NodeAddr=127.0.0.1 CPUs=$cpus Boards=1 SocketsPerBoard=1 CoresPerSocket=$cpus ThreadsPerCore=1 RealMemory=$mem State=UNKNOWN
PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP
C
  install -d -o munge -g munge -m 0755 /run/munge
  munge -n 2>/dev/null | unmunge >/dev/null 2>&1 || { runuser -u munge -- /usr/sbin/munged; touch "$dir/munged.mine"; }
  for _ in 1 2 3 4 5 6 7 8 9 10; do munge -n 2>/dev/null | unmunge >/dev/null 2>&1 && break; sleep 0.3; done
  slurmctld -c; slurmd
  for _ in $(seq 40); do [ "$(sinfo -h -o %T 2>/dev/null)" = idle ] && { sinfo; exit 0; }; sleep 0.5; done
  tail -n 5 "$dir"/log/*.log >&2; exit 1 ;;
down)
  for p in slurmd slurmctld; do [ -f "$dir/$p.pid" ] && kill "$(cat "$dir/$p.pid")" 2>/dev/null || true; done
  if [ -f "$dir/munged.mine" ]; then kill "$(cat /run/munge/munged.pid)" 2>/dev/null || true; rm -f "$dir/munged.mine"; fi ;;
esac

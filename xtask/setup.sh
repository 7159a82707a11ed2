#!/bin/sh
# Installs what the project needs from the distribution, and nothing when all of it is there.
#
#   setup.sh [PROFILE]     build: a linker and C headers, which cargo needs before it can do anything
#                          run:   also what the services and the demo start (default)
#                          test:  also the players that the tests play with, and publishers to record
#                          ci:    also what fuzzers are built and deployment files are checked with
#                          bench: what `build` does, and what the benchmarks compare with
#
# A shell script, because without a linker not even the project's own tools can be built. Nothing that
# it installs is started, now or at the next boot: no database cluster is made, and neither Prometheus
# nor nginx runs.
#
# Exit status: 0 all is there, 1 an installation failed, 2 something is missing and we may not install it.
set -eu

profile=${1:-run}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
policy=/usr/sbin/policy-rc.d
no_cluster=/etc/postgresql-common/createcluster.d/wubloader-setup.conf

# Prints the names of the packages whose files are not there. Files and commands count, not package
# states: an ffmpeg or a PostgreSQL that came another way is as good.
missing_packages() {
    has cc && has ar || echo gcc
    [ -e /usr/include/stdio.h ] || echo libc6-dev
    [ "$profile" != build ] || return 0
    if [ "$profile" = bench ]; then
        has_nginx || echo nginx-light
        has wrk || echo wrk
        # makes what recorders record, and is one of those that are compared
        has ffmpeg || echo ffmpeg
        # an environment for the other ones, which pip installs
        can_make_environments || echo python3-venv
        return 0
    fi

    has ffmpeg && has ffprobe || echo ffmpeg
    has_postgres || echo postgresql
    has setpriv || echo util-linux
    [ -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf ] || echo fonts-dejavu-core
    [ -e /etc/ssl/certs/ca-certificates.crt ] || echo ca-certificates
    [ "$profile" != run ] || return 0

    has chromium || echo chromium
    has mpv || echo mpv
    # fetches the player that runs in the browser
    has npm || echo npm
    has_nginx || echo nginx-light
    [ -e /usr/lib/nginx/modules/ngx_rtmp_module.so ] || echo libnginx-mod-rtmp
    has gst-launch-1.0 || echo gstreamer1.0-tools
    has_gstreamer videotestsrc || echo gstreamer1.0-plugins-base
    has_gstreamer multifile || echo gstreamer1.0-plugins-good
    has_gstreamer hls || echo gstreamer1.0-plugins-bad
    has_gstreamer x264 || echo gstreamer1.0-plugins-ugly
    [ "$profile" != test ] || return 0

    has c++ || echo g++
    has promtool || echo prometheus
    has systemd-analyze || echo systemd
}

has() {
    command -v "$1" >/dev/null 2>&1
}

# Debian keeps the servers of each version in a folder of their own, outside PATH.
has_postgres() {
    for server in /usr/lib/postgresql/*/bin/postgres; do
        [ ! -x "$server" ] || return 0
    done
    return 1
}

# Debian keeps it outside the PATH of those who are not root.
has_nginx() {
    has nginx || [ -x /usr/sbin/nginx ]
}

# Debian keeps GStreamer's plugins in a folder of the machine's architecture.
has_gstreamer() {
    for plugin in /usr/lib/*/gstreamer-1.0/libgst"$1".so; do
        [ ! -e "$plugin" ] || return 0
    done
    return 1
}

# Debian keeps a part of this module of Python in a package of its own.
can_make_environments() {
    has python3 && python3 -c 'import ensurepip, venv' 2>/dev/null
}

complain() {
    echo "setup: $*" >&2
}

# Says what somebody with the rights has to run.
refuse() {
    sudo=$(! has sudo || echo "sudo ")
    complain "missing: $missing. Installing needs root; as root, run:"
    complain "    ${sudo}sh $here/setup.sh $profile"
    complain "which starts no service and does no more than:"
    complain "    apt-get install --yes --no-install-recommends $missing"
    exit 2
}

# While packages are installed, neither PostgreSQL nor Prometheus nor nginx may start, and PostgreSQL may
# not make its default cluster. Another policy that is in force stays in force for everything else.
guard() {
    trap unguard EXIT
    trap 'exit 1' HUP INT TERM
    unguard
    mkdir -p "$(dirname "$no_cluster")"
    echo "create_main_cluster = false" >"$no_cluster"
    [ ! -e "$policy" ] || mv "$policy" "$policy.wubloader-saved"
    cat >"$policy" <<END
#!/bin/sh
# wubloader-setup: in place only while its setup.sh installs packages
case \$1 in
    postgresql* | prometheus* | nginx*) exit 101 ;;
esac
[ ! -x $policy.wubloader-saved ] || exec $policy.wubloader-saved "\$@"
exit 0
END
    chmod 755 "$policy"
}

# Undoes `guard`, also one that a killed run left behind.
unguard() {
    rm -f "$no_cluster"
    if grep -qs wubloader-setup "$policy"; then
        rm -f "$policy"
    fi
    [ ! -e "$policy.wubloader-saved" ] || mv "$policy.wubloader-saved" "$policy"
}

install_missing() {
    export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
    apt_get="apt-get --quiet --quiet -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3"
    guard
    # a broken third-party list must not stop us: the installation shows whether ours are good
    $apt_get update || complain "the package lists could not all be brought up to date, trying all the same"
    # shellcheck disable=SC2086 # a list of words
    $apt_get install --yes --no-install-recommends -o Dpkg::Use-Pty=0 $missing || return 1
    has systemctl || return 0
    # the servers that come with what we want stay off after a reboot, too
    case " $missing " in
        *" prometheus "*) systemctl --quiet disable prometheus.service ;;
    esac
    case " $missing " in
        *" nginx-light "*) systemctl --quiet disable nginx.service ;;
    esac
}

case $profile in
    build | run | test | ci | bench) ;;
    *) complain "unknown profile '$profile': build, run, test, ci or bench"; exit 2 ;;
esac

missing=$(missing_packages | paste -s -d ' ')
[ -n "$missing" ] || exit 0

if ! has apt-get; then
    complain "missing: $missing (names of Debian packages); this system has no apt-get, install them your way"
    exit 2
fi
if [ "$(id -u)" -ne 0 ]; then
    if has sudo && sudo -n true 2>/dev/null; then
        exec sudo -n sh "$here/setup.sh" "$profile"
    fi
    refuse
fi

complain "installing $missing"
install_missing >&2 || { complain "the installation failed, see above"; exit 1; }
missing=$(missing_packages | paste -s -d ' ')
[ -z "$missing" ] || { complain "still missing after the installation: $missing"; exit 1; }

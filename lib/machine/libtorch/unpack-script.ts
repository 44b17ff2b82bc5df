// The Python programs that take members out of wheels: of downloaded ones, and of ones that stay on the server.

import { PIP_COMMAND } from '../process/isolated-python.js';
import { FETCH_EXIT } from './fetch-script.js';

/** Arguments: target folder, then pairs of wheel and pattern. Prints the bytes written so far. */
export const UNPACK = `
import errno, os, re, sys, zipfile
target, pairs, done, told = sys.argv[1], sys.argv[2:], 0, 0

def unpack(wheel, keep):
    global done, told
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            if member.is_dir() or not keep.fullmatch(member.filename):
                continue
            path = os.path.join(target, member.filename)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with archive.open(member) as source, open(path, 'xb') as sink:
                while chunk := source.read(1 << 20):
                    sink.write(chunk)
                    done += len(chunk)
                    if done - told >= 1 << 22:
                        told = done
                        print(done, flush=True)

try:
    for wheel, pattern in zip(pairs[::2], pairs[1::2]):
        unpack(wheel, re.compile(pattern))
    print(done, flush=True)
    os.sync()
except OSError as error:
    print(error, file=sys.stderr)
    sys.exit(${FETCH_EXIT.disk} if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else 1)
`;

/**
 * Arguments: target folder, folder for downloads, then pairs of requirement and pattern. Reads single members out of
 * wheels by HTTP ranges, as pip does for metadata; where that fails, downloads the wheel.
 */
export const MEMBERS = `
import glob, json, os, re, subprocess, sys, zipfile
pip = [*${PIP_COMMAND}, '--disable-pip-version-check', '--no-input', '--quiet']
only = ['--no-deps', '--only-binary=:all:']

def ranged(requirement):
    from pip._internal.network.lazy_wheel import LazyZipOverHTTP
    from pip._internal.network.session import PipSession
    report = subprocess.run(
        [*pip, 'install', '--dry-run', '--ignore-installed', *only, '--report', '-', requirement],
        stdout=subprocess.PIPE, check=True)
    url = json.loads(report.stdout)['install'][0]['download_info']['url']
    return zipfile.ZipFile(LazyZipOverHTTP(url, PipSession()))

def whole(requirement, folder):
    subprocess.run([*pip, 'download', '--no-cache-dir', *only, '--dest', folder, requirement], check=True)
    return zipfile.ZipFile(glob.glob(os.path.join(folder, '*.whl'))[0])

def take(archive, pattern, target):
    for member in archive.infolist():
        if member.is_dir() or not pattern.fullmatch(member.filename):
            continue
        path = os.path.join(target, member.filename)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with archive.open(member) as source, open(path, 'wb') as sink:
            sink.write(source.read())

target, downloads, pairs = sys.argv[1], sys.argv[2], sys.argv[3:]
for i in range(0, len(pairs), 2):
    pattern = re.compile(pairs[i + 1])
    try:
        take(ranged(pairs[i]), pattern, target)
    except Exception:
        take(whole(pairs[i], os.path.join(downloads, str(i))), pattern, target)
`;

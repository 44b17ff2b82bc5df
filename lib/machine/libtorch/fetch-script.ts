// The Python program that downloads wheels: pip chooses the addresses by its own settings and opens its own session
// (index, mirrors, proxies, certificates, credentials); what is new is that a download goes on where it was cut off.

import { PIP_COMMAND } from '../process/isolated-python.js';

/** Its exit codes, besides 1. */
export const FETCH_EXIT = { noPip: 3, notInIndex: 4, network: 5, disk: 6 } as const;

/**
 * Argument: JSON of `folder`, `options` (of pip download) and `wheels` (`requirement`, `file`, `bytes`). Leaves each as
 * `<file>.part`; prints "<position> <bytes>" as they grow. It is killed with its parent; the lock is for the moment until then.
 */
export const FETCH = `
import fcntl, json, logging, os, shutil, subprocess, sys, tempfile, time

job = json.loads(sys.argv[1])
try:
    import pip
except ImportError:
    sys.exit(${FETCH_EXIT.noPip})

def tell(position, done):
    print(position, done, flush=True)

class Meter:
    def __init__(self, position):
        self.position, self.at = position, 0
    def __call__(self, done, last=False):
        if last or time.monotonic() - self.at > 0.2:
            self.at = time.monotonic()
            tell(self.position, done)

class Session:
    """pip's own view of its settings. Its modules are not public: whatever fails here falls back to 'pip download'."""
    def __init__(self):
        from pip._internal.commands import create_command
        from pip._internal.cli.cmdoptions import make_target_python
        self.command = create_command('download')
        self.options, _ = self.command.parse_args([*job['options'], 'x'])
        self.make_target_python = make_target_python
    def open(self):
        self.session = self.command.get_default_session(self.options)
        self.finder = self.command._build_package_finder(
            options=self.options, session=self.session,
            target_python=self.make_target_python(self.options), ignore_requires_python=True)
    def link(self, wheel):
        name = wheel['requirement'].split('==')[0]
        for candidate in self.finder.find_all_candidates(name):
            if candidate.link.filename == wheel['file']:
                return candidate.link
        return None

def restart(sink):
    sink.seek(0)
    sink.truncate()

def copy(path, sink, meter):
    restart(sink)
    with open(path, 'rb') as source:
        while chunk := source.read(1 << 20):
            sink.write(chunk)
            meter(sink.tell())

def ranged(session, link, sink, wheel, meter):
    """Appends to what is there; True when all bytes are."""
    headers = {'Accept-Encoding': 'identity'}
    start = sink.tell()
    if start > 0:
        headers['Range'] = f'bytes={start}-'
    response = session.get(link.url_without_fragment, headers=headers, stream=True)
    if response.status_code == 416 or (
        response.status_code == 206
        and not response.headers.get('Content-Range', f'bytes {start}-').startswith(f'bytes {start}-')
    ):
        restart(sink)
        return False
    response.raise_for_status()
    if start > 0 and response.status_code != 206:
        restart(sink)
    for chunk in response.iter_content(1 << 18):
        sink.write(chunk)
        meter(sink.tell())
    return sink.tell() >= wheel['bytes']

def download(session, link, sink, wheel, meter):
    from pip._vendor.requests.exceptions import RequestException
    if link.is_file:
        return copy(link.file_path, sink, meter)
    failures = 0
    while True:
        before = sink.tell()
        try:
            if ranged(session, link, sink, wheel, meter):
                return
            reason = 'the server sent fewer bytes than expected'
        except RequestException as error:
            response = getattr(error, 'response', None)
            if response is not None and 400 <= response.status_code < 500:
                fail(${FETCH_EXIT.network}, str(error))
            reason = str(error) or type(error).__name__
        failures = 0 if sink.tell() > before else failures + 1
        if failures >= 3:
            fail(${FETCH_EXIT.network}, reason)
        time.sleep(failures)

def fail(code, reason):
    print(reason, file=sys.stderr)
    sys.exit(code)

def by_session(wheels, pip_session):
    pip_session.open()
    for position, wheel in wheels:
        part = os.path.join(job['folder'], wheel['file'] + '.part')
        with open(part, 'ab', opener=lambda path, flags: os.open(path, flags | os.O_NOFOLLOW, 0o666)) as sink:
            fcntl.flock(sink, fcntl.LOCK_EX)
            size = sink.seek(0, os.SEEK_END)
            meter = Meter(position)
            if size > wheel['bytes']:
                restart(sink)
            if size != wheel['bytes']:
                link = pip_session.link(wheel)
                if link is None:
                    fail(${FETCH_EXIT.notInIndex}, "pip's index has no " + wheel['file'])
                download(pip_session.session, link, sink, wheel, meter)
            meter(sink.tell(), last=True)

def by_command(wheels):
    for position, wheel in wheels:
        part = os.path.join(job['folder'], wheel['file'] + '.part')
        if os.path.exists(part) and os.path.getsize(part) == wheel['bytes']:
            tell(position, wheel['bytes'])
            continue
        whole = tempfile.mkdtemp(prefix='pip-', dir=job['folder'])
        env = {**os.environ, 'TMPDIR': whole}
        done = subprocess.run([*${PIP_COMMAND}, 'download', *job['options'], '--quiet', '--dest', whole,
                               wheel['requirement']], env=env)
        if done.returncode != 0:
            sys.exit(${FETCH_EXIT.network})
        if not os.path.exists(os.path.join(whole, wheel['file'])):
            fail(${FETCH_EXIT.notInIndex}, 'pip did not leave ' + wheel['file'])
        os.replace(os.path.join(whole, wheel['file']), part)
        shutil.rmtree(whole)
        tell(position, wheel['bytes'])

logging.basicConfig(level=logging.WARNING, format='%(message)s')
logging.getLogger('pip._internal.index.collector').setLevel(logging.INFO)
wheels = list(enumerate(job['wheels']))
try:
    try:
        pip_session = Session()
        with pip_session.command.main_context():
            by_session(wheels, pip_session)
    except (ImportError, AttributeError, TypeError) as error:
        print(f'{type(error).__name__}: {error}', file=sys.stderr)
        by_command(wheels)
except OSError as error:
    if isinstance(error, BrokenPipeError):
        os._exit(1)
    fail(${FETCH_EXIT.disk}, str(error))
`;

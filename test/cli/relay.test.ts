import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { partKey } from '../../src/store/keys.ts'
import { openStore } from '../../src/store/lmdb.ts'
import { SECOND } from '../../src/util/clock.ts'
import { DELIVERED, type Fixture, openFixture, refusal, type Served, serveFixture } from '../http/fixture.ts'
import { reportEntry } from '../support/report-entry.ts'
import { type CliOptions, type CliResult, runCli } from './run-cli.ts'

const studsOn = (fixture: Fixture, words: string[], more: Partial<CliOptions> = {}): Promise<CliResult> =>
  runCli(words, { clock: fixture.clock, configFile: fixture.configFile, width: 80, ...more })

async function withRelay<T>(work: (relay: Served) => Promise<T>): Promise<T> {
  const relay = await serveFixture()
  try {
    return await work(relay)
  } finally {
    await relay.close()
  }
}

describe('a running relay', () => {
  test('status', () =>
    withRelay(async (relay) => {
      await relay.accept({ to: ['jane@example.net'] })
      expect((await studsOn(relay, ['status'])).out).toMatch(
        new RegExp(`^\
Relay     running since 2026-11-21 21:20:11 UTC \\(2h\\), process ${process.pid}
Version   1.2.3
Listener  submission on 127.0.0.1:2587, starttls
Store     ok, .* KiB of 64.0 MiB, last commit \\S+
Queue     1 waiting \\(1 of them in flight\\), 0 held
Kept      1 message, 1 record, 0 suppressions, 0 reports
$`),
      )
      expect(JSON.parse((await studsOn(relay, ['status', '--json'])).out)).toMatchObject({
        state: 'running',
        uptime_ms: 7_200_000,
      })
    }))

  test('top prints one frame without a terminal', () =>
    withRelay(async (relay) => {
      const { flights } = await relay.accept({ to: ['jane@example.net', 'bob@example.org'] })
      await relay.settle(flights[0], DELIVERED)
      await relay.clock.advance(SECOND)
      await relay.settle(flights[1], refusal(450, '4.7.1 Try again later'))
      await relay.clock.advance(SECOND)
      const { out } = await studsOn(relay, ['top'])
      expect(out.replace(/ +store .*ms/, '  STORE')).toBe(`\
studs 1.2.3, running, up 2h  STORE
Queue  1 waiting (0 of them in flight), 0 held

per second         1 s     10 s    1 min    total
accepted             0      0.2     <0.1        2                             █
delivered            0      0.1     <0.1        1                             █
deferred             1      0.1     <0.1        1                              █
failed               0        0        0        0
suppressed           0        0        0        0
bounced              0        0        0        0
complained           0        0        0        0
unsubscribed         0        0        0        0
reported             0        0        0        0

Busiest paths
SITE            SOURCE   CONNECTIONS  ACTIVE  IN LINE
mx.example.net  default   3 (1 idle)       2        7

Longest lines
DOMAIN       WAITING  DUE  OLDEST
example.org        1    0    2.0s

Last failures
23:20:12  deferred    bob@example.org  450 4.7.1 Try again later
`)
      for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
    }))

  test('top on a terminal draws again each second, never taller than it, and leaves the screen as it was', () =>
    withRelay(async (relay) => {
      await relay.accept({ to: Array.from({ length: 12 }, (_, n) => `jane@d${n}.example.net`) })
      const stop = new AbortController()
      const frames: string[] = []
      const result = studsOn(relay, ['top'], {
        isTty: true,
        height: 24,
        signal: stop.signal,
        onOut: (text) => {
          if (!text.startsWith('\u001b[H')) return
          frames.push(text)
          if (frames.length === 3) stop.abort()
          else setImmediate(() => void relay.clock.advance(SECOND))
        },
      })
      const { code, out } = await result
      expect(code).toBe(0)
      expect(frames).toHaveLength(3)
      for (const frame of frames) expect(frame.split('\n').length).toBeLessThanOrEqual(24)
      expect(out.startsWith('\u001b[?1049h\u001b[?25l')).toBe(true)
      expect(out.endsWith('\u001b[?25h\u001b[?1049l')).toBe(true)
    }))

  test('q leaves top, and the keys with it', () =>
    withRelay(async (relay) => {
      let isOver = false
      async function* keys(signal: AbortSignal): AsyncGenerator<string> {
        yield 'x'
        yield 'q'
        if (!signal.aborted) throw new Error('q did not end it')
        isOver = true
      }
      const { code, out } = await studsOn(relay, ['top'], { isTty: true, height: 24, keys })
      expect({ code, isOver, left: out.endsWith('\u001b[?25h\u001b[?1049l') }).toEqual({
        code: 0,
        isOver: true,
        left: true,
      })
    }))

  test('top shows each recipient once among the failures, and how many reports wait', () =>
    withRelay(async (relay) => {
      const { flights } = await relay.accept({ to: ['jane@example.net', 'somebody.else@example.org'] })
      for (let at = 0; at < 3; at++) {
        await relay.settle(flights[0], refusal(450, `4.7.1 Try again later ${at}`))
        await relay.clock.advance(SECOND)
      }
      await relay.settle(flights[1], refusal(450, '4.2.0 Greylisted'))
      const entry = reportEntry({ id: '0000000000001', outcome: 'review', review: { why: 'odd' } })
      await relay.store.write(relay.book.compose(entry, undefined))
      const { out } = await studsOn(relay, ['top'])
      expect(out).toMatch(/^Queue .* {3}Reviews {2}1 report to look at$/m)
      expect(out).toMatch(
        /Last failures\n\S+ {2}deferred {4}somebody\.else@example\.org {2}450 4\.2\.0 Greylisted\n\S+ {2}deferred {4}jane@example\.net +450 4\.7\.1 Try again later 2\n$/,
      )
    }))

  test('healthcheck says 0 or 1 and nothing else', async () => {
    await withRelay(async (relay) =>
      expect(await studsOn(relay, ['healthcheck'])).toEqual({ code: 0, out: 'ready\n', err: '' }),
    )
    const draining = await serveFixture({ isDraining: () => true })
    expect(await studsOn(draining, ['healthcheck'])).toEqual({
      code: 1,
      out: 'The relay is stopping: new mail is refused.\n',
      err: '',
    })
    await draining.close()
    const stopped = await openFixture()
    expect(await studsOn(stopped, ['healthcheck'])).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('not running'),
    })
    await stopped.close()
  })

  test('reload says what changed, or why it is refused', async () => {
    await withRelay(async (relay) =>
      expect((await studsOn(relay, ['reload'])).out).toBe('queue.retry: 5m instead of 10m\n'),
    )
    const broken = await serveFixture({ reload: () => Promise.reject(new Error('studs.toml:3: unknown key')) })
    expect(await studsOn(broken, ['reload'])).toMatchObject({
      code: 1,
      err: 'error: The configuration is not taken over: studs.toml:3: unknown key\n',
    })
    await broken.close()
  })

  test('backup and store verify of the copy', () =>
    withRelay(async (relay) => {
      await relay.accept({ to: ['jane@example.net'] })
      const copy = join(relay.directory, 'copy')
      expect((await studsOn(relay, ['backup', copy])).code).toBe(0)
      expect(await studsOn(relay, ['store', 'verify', copy])).toMatchObject({
        code: 0,
        out: '1 message, 1 recipient, 1 waiting, 0 held, 1 with a body, 1 record, 0 reports\nThe store agrees with itself.\n',
      })
      expect(await studsOn(relay, ['backup', copy])).toMatchObject({
        code: 1,
        err: expect.stringContaining('is not empty'),
      })
      expect(await studsOn(relay, ['store', 'verify'])).toMatchObject({
        code: 1,
        err: expect.stringContaining('The relay is running'),
      })
    }))

  test('store verify names what is wrong with a copy', () =>
    withRelay(async (relay) => {
      const { id } = await relay.accept({ to: ['jane@example.net'] })
      const copy = join(relay.directory, 'copy')
      await studsOn(relay, ['backup', copy])
      const store = openStore({ directory: copy, mapSize: relay.settings.data.mapSize, clock: relay.clock })
      await store.write([{ table: 'body', key: partKey(id, 0), value: undefined }])
      await store.close()
      expect(await studsOn(relay, ['store', 'verify', copy])).toMatchObject({
        code: 1,
        out: expect.stringContaining(`- message ${id} lacks chunk 0 of its body`),
        err: 'error: The store disagrees with itself in 1 place.\n',
      })
    }))

  test('the endpoint may be named by option or environment', () =>
    withRelay(async (relay) => {
      const endpoint = relay.settings.api.socket
      for (const named of [endpoint, `unix:${endpoint}`]) {
        expect((await runCli(['--endpoint', named, 'status', '--json'], { clock: relay.clock })).code).toBe(0)
      }
      expect((await runCli(['status', '--json'], { clock: relay.clock, env: { STUDS_ENDPOINT: endpoint } })).code).toBe(
        0,
      )
    }))
})

describe('an endpoint that is no relay', () => {
  test.each([['/nonexistent/studs.sock'], ['http://127.0.0.1:1']])('%s → 4', async (endpoint) => {
    const fixture = await openFixture()
    expect(await studsOn(fixture, ['--endpoint', endpoint, 'status'])).toMatchObject({
      code: 4,
      out: '',
      err: expect.stringContaining('The relay does not answer'),
    })
    await fixture.close()
  })

  test.each([['https://relay.example'], ['http://[']])('%s is a usage error', async (endpoint) => {
    const fixture = await openFixture()
    expect((await studsOn(fixture, ['--endpoint', endpoint, 'status'])).code).toBe(2)
    await fixture.close()
  })

  test('another web server → 4', async () => {
    const fixture = await openFixture()
    const server = createServer((_, response) => response.writeHead(404).end('<html>\u001b[2J'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    expect(await studsOn(fixture, ['--endpoint', `http://127.0.0.1:${port}`, 'status'])).toMatchObject({
      code: 4,
      err: 'error: The relay does not answer: the endpoint answered HTTP 404, not as Studs does\n',
    })
    await new Promise((resolve) => server.close(resolve))
    await fixture.close()
  })

  test('one that takes the question and never answers: Ctrl-C ends it', async () => {
    const fixture = await openFixture()
    const stop = new AbortController()
    const server = createServer(() => stop.abort())
    const path = join(fixture.directory, 'silent.sock')
    await new Promise<void>((resolve) => server.listen(path, resolve))
    expect(await studsOn(fixture, ['--endpoint', path, 'status'], { signal: stop.signal })).toEqual({
      code: 1,
      out: '',
      err: 'error: Interrupted.\n',
    })
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await fixture.close()
  })
})

describe('a stopped relay', () => {
  /** A store as a stopped relay leaves it, with one message. */
  async function stopped<T>(work: (fixture: Fixture, id: string) => Promise<T>): Promise<void> {
    const fixture = await openFixture()
    const { id, flights } = await fixture.accept({ to: ['jane@example.net'], subject: 'Hej' })
    await fixture.settle(flights[0], refusal(450, '4.7.1 Try again later'))
    await fixture.store.close()
    await work(fixture, id)
    await fixture.close()
  }

  test('is read and changed by opening its store, with a note on stderr', () =>
    stopped(async (fixture, id) => {
      const note = 'The relay is not running; working on its store.\n'
      expect(await studsOn(fixture, ['queue', 'list', '--json'])).toMatchObject({
        code: 0,
        err: note,
        out: expect.stringContaining('jane@example.net'),
      })
      expect((await studsOn(fixture, ['-q', 'message', id])).err).toBe('')
      expect((await studsOn(fixture, ['queue', 'hold', id])).code).toBe(0)
      expect((await studsOn(fixture, ['message', id])).out).toMatch(/held +by cli:/)
      expect((await studsOn(fixture, ['suppress', 'add', 'jane@example.net'])).code).toBe(0)
      expect((await studsOn(fixture, ['suppress', 'check', 'jane@example.net'])).out).toContain('suppressed')
      expect((await studsOn(fixture, ['status'])).out).toContain('Relay     stopped\n')
      expect((await studsOn(fixture, ['top', '--once'])).out).toContain('studs 1.2.3, stopped')
      expect((await studsOn(fixture, ['store', 'verify'])).code).toBe(0)
      expect((await studsOn(fixture, ['backup', join(fixture.directory, 'copy')])).code).toBe(0)
    }))

  test('gives its store free again, also when the command fails', () =>
    stopped(async (fixture) => {
      expect((await studsOn(fixture, ['message', 'nobody@app.example'])).code).toBe(3)
      expect((await studsOn(fixture, ['queue', 'hold', '--tenant', 'shop'])).code).toBe(3)
      openStore({
        directory: fixture.settings.data.directory,
        mapSize: fixture.settings.data.mapSize,
        clock: fixture.clock,
      }).close()
    }))

  test('cannot be told to reload', () =>
    stopped(async (fixture) => {
      expect(await studsOn(fixture, ['reload'])).toMatchObject({
        code: 4,
        err: expect.stringContaining('The relay is not running'),
      })
    }))

  test('a wrong directory is never made into a new store', async () => {
    const fixture = await openFixture()
    const wrong = join(fixture.directory, 'wrong.toml')
    await writeFile(wrong, '[data]\ndirectory = "elsewhere"\n')
    const { code, err } = await runCli(['--config', wrong, 'queue', 'list'], { clock: fixture.clock })
    expect({ code, err }).toEqual({
      code: 4,
      err: `error: The relay is not running, and there is no store in ${join(fixture.directory, 'elsewhere')}. Is this the right configuration? (--config FILE)\n`,
    })
    expect((await runCli(['--config', wrong, 'store', 'verify'], { clock: fixture.clock })).code).toBe(4)
    await fixture.close()
  })

  test('a relay that runs but does not answer is not worked around', async () => {
    const fixture = await openFixture()
    await fixture.store.close()
    const holder = spawn(process.execPath, ['-e', HOLD_LOCK, fixture.settings.data.directory], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    await new Promise((resolve) => holder.stdout.once('data', resolve))
    expect(await studsOn(fixture, ['queue', 'list'])).toMatchObject({
      code: 4,
      out: '',
      err: expect.stringMatching(
        new RegExp(
          `The relay does not answer, and its store cannot be opened: .* is in use by the process ${holder.pid}`,
        ),
      ),
    })
    holder.stdin.end()
    await new Promise((resolve) => holder.once('exit', resolve))
    expect((await studsOn(fixture, ['queue', 'list'])).code).toBe(0)
    await fixture.close()
  })
})

/** A process that has the store open until its standard input ends. */
const HOLD_LOCK = `
import(${JSON.stringify(new URL('../../src/store/lock.ts', import.meta.url).href)}).then(({ lockDirectory }) => {
  const lock = lockDirectory(process.argv[1])
  process.stdin.on('end', () => lock.release()).resume()
  console.log('locked')
})`

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Call } from '@carillon/sip-transaction'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Agent } from '../../packages/server/src/demo/agent'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'carillon-e2e-'))
const running = new Set<ChildProcess>()
afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
  running.clear()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The command, bundled from the sources into one file, so that no build has to come first. */
const command = join(folder, 'carillon.cjs')
beforeAll(async () => {
  const fromRoot = createRequire(join(root, 'package.json'))
  const esbuild = createRequire(fromRoot.resolve('tsup'))('esbuild') as { build(options: object): Promise<unknown> }
  await esbuild.build({
    entryPoints: [join(root, 'packages/server/src/cli/index.ts')],
    outfile: command,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    conditions: ['carillon-source'],
    logLevel: 'silent',
  })
})

/** Runs the command in a process of its own with nothing of ours in its environment. */
function carillon(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [command, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  const exit = once(child, 'close').then(([code]) => code as number)
  return {
    child,
    exit,
    get stdout() {
      return stdout
    },
    get stderr() {
      return stderr
    },
    async ready() {
      await expect.poll(() => stdout + stderr, { timeout: 30_000 }).toMatch(/is ready|carillon: /)
      return stdout
    },
  }
}

function column(banner: string, name: string): string[] {
  const line = banner.split('\n').find((text) => text.startsWith(`  ${name} `)) ?? ''
  return line
    .slice(2 + name.length)
    .trim()
    .split(/ {2,}/)
}

describe('carillon', () => {
  it('prints its version and its help', async () => {
    const version = carillon(['--version'])
    expect(await version.exit).toBe(0)
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
    const help = carillon(['--help'])
    expect(await help.exit).toBe(0)
    expect(help.stdout).toContain('--sip-listen')
  })

  it('prints the configuration with secrets masked', async () => {
    const check = carillon(['check-config', '--domain', 'example.com'], { CARILLON_USERS: '1001:hunter2' })
    expect(await check.exit).toBe(0)
    expect(check.stdout).toMatch(/^domain +example\.com +--domain$/m)
    expect(check.stdout).toMatch(/^users +1001:\*{6} +CARILLON_USERS$/m)
    expect(check.stdout).not.toContain('hunter2')
  })

  it('ends with one line and exit code 2 for a wrong configuration', async () => {
    const wrong = carillon(['start'], { CARILLON_MEDIA_PORTS: 'many' })
    expect(await wrong.exit).toBe(2)
    expect(wrong.stderr).toMatch(/^carillon: CARILLON_MEDIA_PORTS holds "many"; it accepts [^\n]*\n$/)
    expect(wrong.stdout).toBe('')
  })

  it('ends with one line and exit code 1 when the port is in use', async () => {
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const { port } = socket.address()
    const second = carillon(['start', '--sip-listen', `udp://127.0.0.1:${port}`])
    expect(await second.exit).toBe(1)
    expect(second.stderr).toMatch(new RegExp(`^carillon: cannot listen on udp://127\\.0\\.0\\.1:${port}: [^\\n]*\\n$`))
    await new Promise<void>((resolve) => socket.close(() => resolve()))
  })

  it('makes two extensions, carries a call between them, and stops in order on SIGTERM', async () => {
    const args = ['start', '--sip-listen', 'udp://127.0.0.1:0', '--data-dir', 'data', '--drain-timeout-ms', '300']
    const first = carillon(args)
    const banner = await first.ready()
    const [server = ''] = column(banner, 'Server / domain')
    const names = column(banner, 'Username')
    const passwords = column(banner, 'Password')
    expect(names).toEqual(['1001', '1002'])
    expect(column(banner, 'Number to dial')).toEqual(['1002', '1001'])
    expect(statSync(join(folder, 'data')).mode & 0o777).toBe(0o700)
    expect(statSync(join(folder, 'data/users.json')).mode & 0o777).toBe(0o600)
    expect(readFileSync(join(folder, 'data/users.json'), 'utf8')).toContain(passwords[0])

    const [host = '', port = ''] = server.split(':')
    const listen = { transport: 'udp', host, port: Number(port) }
    const agents = await Promise.all(
      names.map((extension, index) =>
        Agent.open({ extension, password: passwords[index] as string, server: listen, ssrc: index + 1 }),
      ),
    )
    const [left, right] = agents as [Agent, Agent]
    expect([await left.register(), await right.register()]).toEqual([200, 200])
    const answered = new Promise<Call>((resolve) => right.answerCalls(0, resolve))
    const call = await left.call('1002')
    const answer = await answered
    first.child.kill('SIGTERM')
    const ends = await Promise.all([call.ended, answer.ended])
    expect(ends.map((end) => end.by)).toEqual(['remote', 'remote'])
    expect(await first.exit).toBe(0)
    expect(first.stderr).toContain('"event":"call.ended"')
    for (const password of passwords) expect(first.stderr).not.toContain(password)
    await Promise.all(agents.map((agent) => agent.close()))

    const again = carillon(args)
    expect(column(await again.ready(), 'Password')).toEqual(passwords)
    again.child.kill('SIGINT')
    expect(await again.exit).toBe(0)
  })

  it('hangs up at once on a clearly later second signal', async () => {
    const env = { CARILLON_USERS: '1001:a,1002:b' }
    const server = carillon(['start', '--sip-listen', 'udp://127.0.0.1:0', '--drain-timeout-ms', '600000'], env)
    const banner = await server.ready()
    const [host = '', port = ''] = (column(banner, 'Server / domain')[0] ?? '').split(':')
    const listen = { transport: 'udp', host, port: Number(port) }
    const left = await Agent.open({ extension: '1001', password: 'a', server: listen, ssrc: 1 })
    const right = await Agent.open({ extension: '1002', password: 'b', server: listen, ssrc: 2 })
    await Promise.all([left.register(), right.register()])
    const answered = new Promise<Call>((resolve) => right.answerCalls(0, resolve))
    const call = await left.call('1002')
    await answered
    server.child.kill('SIGTERM')
    await expect.poll(() => server.stdout).toContain('Stopping: 1 call lives')
    server.child.kill('SIGTERM')
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    expect(call.state).toBe('active')
    server.child.kill('SIGTERM')
    expect((await call.ended).by).toBe('remote')
    expect(await server.exit).toBe(0)
    await Promise.all([left.close(), right.close()])
  })
})

describe('bin/carillon.cjs', () => {
  const bin = join(root, 'packages/server/bin/carillon.cjs')

  it.each(['8.0.0', '20.19.0', '22.12.0'])(
    'says in one line what it needs on Node.js %s, and ends with exit code 1',
    (version) => {
      const pretend = `Object.defineProperty(process.versions, 'node', { value: '${version}' }); require(process.argv[1])`
      const { status, stderr, stdout } = spawnSync(process.execPath, ['-e', pretend, bin], { encoding: 'utf8' })
      expect(stderr).toBe(`carillon needs Node.js 22.13 or later; this is Node.js ${version}\n`)
      expect(stdout).toBe('')
      expect(status).toBe(1)
    },
  )

  it('is written in a language that any Node can read', () => {
    const source = readFileSync(bin, 'utf8')
    expect(source).not.toMatch(/=>|`|\b(const|let|class|async|import)\b|\?\.|\?\?/)
  })
})

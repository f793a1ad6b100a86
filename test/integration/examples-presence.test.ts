/** The presence server among the examples, started as a program: devices publish, watchers are told. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type Notification, type Presence, presencePackage, SipStack } from '@carillon/sip-transaction'
import { afterEach, describe, expect, it } from 'vitest'
import { root } from '../support/repository'

const open: SipStack[] = []
const running: { readonly child: ChildProcess; readonly exited: Promise<unknown> }[] = []

/** Starts the example on a free port; returns that. */
async function start(): Promise<number> {
  const args = ['presence', '--listen', 'udp://127.0.0.1:0']
  const child = spawn(process.execPath, [join(root, 'scripts/lib/example.mjs'), ...args], { cwd: root })
  running.push({ child, exited: once(child, 'exit') })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk
    })
  }
  await until(() => /^ready$/m.test(output) || child.exitCode !== null)
  const port = /:(\d+)$/m.exec(output)?.[1]
  if (port === undefined) throw new Error(output)
  return Number(port)
}

async function phone(): Promise<SipStack> {
  const stack = await SipStack.create({ listen: ['udp://127.0.0.1:0'] })
  open.push(stack)
  return stack
}

const at = (user: string, basic: 'open' | 'closed', note: string): Presence => ({
  entity: `sip:${user}@127.0.0.1`,
  tuples: [{ id: note, basic, notes: [note] }],
  notes: [],
  activities: basic === 'closed' ? ['away'] : [],
})

async function until(condition: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 1_000 && !condition(); attempt += 1)
    await new Promise((resolve) => setTimeout(resolve, 10))
  expect(condition()).toBe(true)
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((stack) => stack.close({ graceMs: 0 })))
  for (const { child, exited } of running.splice(0)) {
    if (child.exitCode !== null) continue
    child.kill('SIGTERM')
    await exited
  }
})

describe('presence', () => {
  it('tells watchers what the devices of a user publish, one after another and together', async () => {
    const port = await start()
    const alice = await phone()
    const bob = await phone()
    const target = `sip:alice@127.0.0.1:${port}`
    const seen: Notification<Presence>[] = []
    const watching = await bob.subscribe(target, { event: presencePackage, onNotify: (each) => seen.push(each) })
    await until(() => seen.length === 1)
    const told = () => seen.at(-1)!.state!.tuples.map(({ basic, notes }) => `${notes?.join()} ${basic}`)
    expect(told()).toEqual([])
    const desk = await alice.publish(target, { event: presencePackage, state: at('alice', 'open', 'desk') })
    await until(() => told().join() === 'desk open')
    await alice.publish(target, { event: presencePackage, state: at('alice', 'closed', 'mobile') })
    await until(() => told().join() === 'mobile closed,desk open')
    expect(watching.latest?.activities).toEqual(['away'])
    desk.update(at('alice', 'closed', 'desk'))
    await until(() => told().join() === 'mobile closed,desk closed')
    await desk.remove()
    await until(() => told().join() === 'mobile closed')
    const fetched = await bob.subscribe(target, { event: presencePackage, expiresSeconds: 0 })
    for await (const { state, subscription } of fetched)
      expect([state?.tuples.length, subscription]).toEqual([1, 'terminated'])
    expect(await watching.unsubscribe()).toMatchObject({ by: 'local' })
    expect(seen.at(-1)).toMatchObject({ subscription: 'terminated', reason: 'timeout' })
  })

  it('tells its watchers when it ends, and they wait to come again', async () => {
    const port = await start()
    const bob = await phone()
    const states: string[] = []
    const watching = await bob.subscribe(`sip:alice@127.0.0.1:${port}`, {
      event: presencePackage,
      onNotify: ({ subscription, reason }) => states.push(`${subscription} ${reason ?? ''}`.trim()),
    })
    await until(() => states.length === 1)
    const [{ child, exited } = { child: undefined, exited: undefined }] = running
    child?.kill('SIGTERM')
    await exited
    await until(() => states.length === 2)
    expect(states).toEqual(['active', 'terminated probation'])
    expect(watching.state).toBe('waiting')
  })
})

/** The presence server among the examples, started as a program: devices publish, watchers are told. */
import { type Notification, type Presence, presencePackage, SipStack } from '@carillon/sip-transaction'
import { afterEach, describe, expect, it } from 'vitest'
import { type Program, serve, stopPrograms, until } from '../support/example-program'

const open: SipStack[] = []

/** Starts the example on a free port. */
async function start(): Promise<{ program: Program; port: number }> {
  const { program, ports } = await serve('presence', '--listen', 'udp://127.0.0.1:0')
  return { program, port: ports[0]! }
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

afterEach(async () => {
  await Promise.all(open.splice(0).map((stack) => stack.close({ graceMs: 0 })))
  await stopPrograms()
})

describe('presence', () => {
  it('tells watchers what the devices of a user publish, one after another and together', async () => {
    const { port } = await start()
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
    const { program, port } = await start()
    const bob = await phone()
    const states: string[] = []
    const watching = await bob.subscribe(`sip:alice@127.0.0.1:${port}`, {
      event: presencePackage,
      onNotify: ({ subscription, reason }) => states.push(`${subscription} ${reason ?? ''}`.trim()),
    })
    await until(() => states.length === 1)
    await program.stop()
    await until(() => states.length === 2)
    expect(states).toEqual(['active', 'terminated probation'])
    expect(watching.state).toBe('waiting')
  })
})

/** Registrations of ours against a registrar of ours, on a network in memory: RFC 3261 §10.2, RFC 5626 §4, RFC 5627, RFC 3608. */
import type { HeaderInit } from '@carillon/sip-parser'
import { afterEach, describe, expect, it } from 'vitest'
import { DigestVerifier } from '../../auth/verifier'
import type { Transport, TransportFactory } from '../../ports'
import type { Binding } from '../../registrar/binding'
import { BindingTable, type BindingTableOptions } from '../../registrar/binding-table'
import { SeededRandom } from '../../testing'
import { Scenario } from '../fixtures/scenario'
import { digest } from '../requests/digest'
import type { IncomingRequest } from '../requests/incoming-request'
import type { SipStack } from '../stack'
import type { RegisterOptions } from './registration'

const instance = 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6'
const aor = 'sip:alice@10.0.0.1'
let opened: Scenario | undefined

afterEach(async () => {
  const scenario = opened
  opened = undefined
  if (scenario === undefined) return
  await scenario.settle(Promise.all(scenario.stacks.map((stack) => stack.close({ graceMs: 0 }))))
  expect(scenario.clock.nextWakeMs()).toBe(Number.POSITIVE_INFINITY)
})

class World {
  readonly scenario = new Scenario()
  readonly table: BindingTable
  readonly seen: IncomingRequest[] = []
  phone!: SipStack
  server!: SipStack

  private constructor(options: BindingTableOptions) {
    this.table = new BindingTable(options)
  }

  static async create(
    options: BindingTableOptions = {},
    judge: (request: IncomingRequest, world: World) => boolean | undefined = () => false,
    guard: Parameters<SipStack['method']>[1][] = [],
  ): Promise<World> {
    const world = new World(options)
    opened = world.scenario
    const listen = (host: number) => [`udp://10.0.0.${host}:5060`, `tcp://10.0.0.${host}:5060`]
    world.server = await world.scenario.stack('server', { listen: listen(1), supported: ['outbound', 'path', 'gruu'] })
    world.phone = await world.scenario.stack('phone', { listen: listen(2) })
    world.server.method('REGISTER', ...guard, (request) => {
      world.seen.push(request)
      if (judge(request, world) === true) return
      const result = world.table.apply(request, world.scenario.clock.monotonicMs())
      request.reply(result.status, result)
    })
    world.server.on('flowClosed', ({ flowId }) => world.table.removeFlow(flowId))
    return world
  }

  register(options: Partial<RegisterOptions> = {}) {
    return this.phone.register({ aor, ...options })
  }

  bindings(): readonly Binding[] {
    return this.table.lookup('alice@10.0.0.1', this.scenario.clock.monotonicMs())
  }

  registers(): number {
    return this.scenario.ladder.filter((line) => line === 'phone>server REGISTER').length
  }
}

describe('a registration', () => {
  it('RFC 3261 §10.2: registers, refreshes before it expires, and unregisters', async () => {
    const world = await World.create({ registrationSecondsMax: 600 })
    const registration = world.register()
    await world.scenario.settle(registration.ready)
    expect(world.bindings().map(({ uri }) => uri)).toEqual(['sip:alice@10.0.0.2:5060'])
    expect(registration.flows).toMatchObject([{ regId: 1, state: 'registered', secondsLeft: 600 }])
    await world.scenario.pass(3_600_000)
    expect(world.bindings()).toHaveLength(1)
    expect(world.registers()).toBeGreaterThanOrEqual(7)
    expect(world.registers()).toBeLessThanOrEqual(9)
    expect(new Set(world.seen.map(({ callId }) => callId)).size).toBe(1)
    expect(world.seen.map(({ cseq }) => cseq.seq)).toEqual(world.seen.map((_, index) => index + 1))
    await world.scenario.settle(registration.unregister())
    expect([world.bindings().length, registration.isRegistered]).toEqual([0, false])
    expect(registration.flows[0]?.state).toBe('ended')
  })

  it('RFC 3261 §10.2.8: asks for the Min-Expires of a 423, and not for any more than is sane', async () => {
    const world = await World.create({ registrationSecondsMin: 900 })
    await world.scenario.settle(world.register({ expiresSeconds: 60 }).ready)
    expect([world.registers(), world.bindings()[0]?.expiresAtMs]).toEqual([2, 900_000])

    const mad = await World.create({}, (request) => {
      request.reply(423, { headers: [['Min-Expires', 4_294_967_295]] })
      return true
    })
    const registration = mad.register()
    await expect(mad.scenario.settle(registration.ready)).rejects.toMatchObject({ code: 'REGISTRATION_REFUSED' })
    expect(mad.registers()).toBe(1)
  })

  it('answers challenges, refreshes without being asked again, and survives a stale nonce', async () => {
    const random = new SeededRandom(5)
    const verifier = new DigestVerifier({ realm: 'x', secret: random.bytes(32), random, nonceLifetimeMs: 500_000 })
    const guard = digest.required(verifier, () => ({ password: 'secret' }))
    const world = await World.create({ registrationSecondsMax: 300 }, undefined, [guard])
    const registration = world.register({ credentials: { username: 'alice', password: 'secret' } })
    await world.scenario.settle(registration.ready)
    expect(world.registers()).toBe(2)
    await world.scenario.pass(240_000)
    expect(world.registers()).toBe(3)
    await world.scenario.pass(3_000_000)
    expect([world.bindings().length, registration.isRegistered]).toEqual([1, true])
  })

  it('tells of a wrong password and does not repeat it; the user may try again', async () => {
    const random = new SeededRandom(5)
    const verifier = new DigestVerifier({ realm: 'x', secret: random.bytes(32), random })
    let password = 'other'
    const guard = digest.required(verifier, () => ({ password }))
    const world = await World.create({}, undefined, [guard])
    const registration = world.register({ credentials: { username: 'alice', password: 'secret' } })
    const refused: number[] = []
    registration.on('refused', ({ response }) => refused.push(response.status))
    await expect(world.scenario.settle(registration.ready)).rejects.toMatchObject({ code: 'REGISTRATION_REFUSED' })
    const sent = world.registers()
    await world.scenario.pass(7_200_000)
    expect([world.registers(), refused, registration.flows[0]?.state]).toEqual([sent, [401], 'refused'])
    password = 'secret'
    registration.refresh()
    await world.scenario.pass(1_000)
    expect(registration.isRegistered).toBe(true)
  })

  it('RFC 5626 §4.5: waits longer after each failure, and as long as Retry-After says', async () => {
    let answers = 0
    const world = await World.create({}, (request) => {
      answers += 1
      if (answers > 4) return false
      request.reply(answers === 1 ? 503 : 500, answers === 2 ? { headers: [['Retry-After', 200]] } : {})
      return true
    })
    const registration = world.register()
    const waits: number[] = []
    registration.on('failed', ({ retryInMs }) => waits.push(retryInMs))
    await world.scenario.settle(registration.ready, 1_000_000)
    const [first = 0, second = 0, third = 0, fourth = 0] = waits
    expect(first).toBeGreaterThanOrEqual(15_000)
    expect(first).toBeLessThanOrEqual(30_000)
    expect(second).toBe(200_000)
    expect(third).toBeGreaterThanOrEqual(60_000)
    expect(fourth).toBeGreaterThanOrEqual(120_000)
  })

  it('forms a new connection when the old one breaks', async () => {
    const world = await World.create()
    const registration = world.register({ outboundProxies: ['<sip:10.0.0.1;transport=tcp;lr>'] })
    await world.scenario.settle(registration.ready)
    const [before] = world.bindings()
    const oldFlow = before?.flowId
    await world.scenario.pass(200_000)
    const failed: unknown[] = []
    registration.on('failed', ({ code, retryInMs }) => failed.push(code, retryInMs < 4_000))
    world.scenario.network.resetStreams('10.0.0.1', '10.0.0.2')
    await world.scenario.pass(5_000)
    expect(failed).toEqual(['FLOW_LOST', true])
    expect(registration.isRegistered).toBe(true)
    expect(world.bindings()).toHaveLength(1)
    expect(world.bindings()[0]?.flowId).not.toBe(oldFlow)
  })

  it('tries its proxies in turn when it has no instance', async () => {
    const world = await World.create()
    const registration = world.register({ outboundProxies: ['<sip:10.9.9.9;transport=tcp;lr>', '<sip:10.0.0.1;lr>'] })
    await world.scenario.settle(registration.ready)
    expect(registration.flows).toMatchObject([{ proxy: '<sip:10.0.0.1;lr>' }])
  })

  it('goes when its signal is aborted, and when its stack closes', async () => {
    const world = await World.create()
    const abort = new AbortController()
    const registration = world.register({ signal: abort.signal })
    await world.scenario.settle(registration.ready)
    abort.abort()
    await world.scenario.settle(registration.ended)
    expect(world.bindings()).toEqual([])
    await expect(world.register({ signal: abort.signal }).ready).rejects.toMatchObject({ code: 'ABORTED' })
    await world.scenario.settle(world.register().ready)
    await world.scenario.settle(world.phone.close({ graceMs: 0 }))
    expect(world.bindings()).toEqual([])
  })

  it('unregisters what was bound by a REGISTER that was still out', async () => {
    const world = await World.create()
    world.scenario.network.setConditions({ delayMinMs: 50, delayMaxMs: 60 })
    const registration = world.register()
    await world.scenario.pass(80)
    const leaving = registration.unregister()
    await world.scenario.settle(leaving)
    expect([world.bindings().length, world.registers()]).toEqual([0, 2])
    await expect(registration.ready).rejects.toMatchObject({ code: 'ABORTED' })
  })

  it('RFC 3608 §6.1: gives calls the routes, credentials and flow of the registration', async () => {
    const world = await World.create({ serviceRoutes: ['<sip:10.0.0.1;lr;home>'] })
    const credentials = { username: 'alice', password: 'x' }
    const registration = world.register({ credentials, instance })
    await world.scenario.settle(registration.ready)
    expect(registration.outgoing).toMatchObject({ routes: ['<sip:10.0.0.1;lr;home>'], credentials })
    const answered: string[] = []
    world.server.method('MESSAGE', (request) => {
      answered.push(`${request.from.uri} ${request.message.get('Route')}`)
      request.reply(200)
    })
    const init = { method: 'MESSAGE', uri: 'sip:bob@10.0.0.1', ...registration.outgoing, contact: false }
    expect((await world.scenario.settle(world.phone.request(init))).status).toBe(200)
    expect(answered).toEqual([`${aor} <sip:10.0.0.1;lr;home>`])
  })
})

describe('outbound', () => {
  const proxies = ['<sip:10.0.0.1;transport=tcp;lr>', '<sip:10.0.0.1;lr>']

  it('RFC 5626 §4.2: has one flow through each proxy, which the registrar keeps apart', async () => {
    const world = await World.create()
    const registration = world.register({ instance, outboundProxies: proxies })
    await world.scenario.settle(registration.ready)
    await world.scenario.pass(1_000)
    const found = world.bindings().map(({ regId, instance: of, receivedFrom }) => [regId, of, receivedFrom.transport])
    expect(found.sort()).toEqual([
      [1, instance, 'TCP'],
      [2, instance, 'UDP'],
    ])
    expect(registration.flows.map(({ isOutbound }) => isOutbound)).toEqual([true, true])
    await world.scenario.settle(registration.unregister())
    expect(world.bindings()).toEqual([])
  })

  it('RFC 5626 §4.5, §6: when one flow dies the other stays, and the dead one comes back under its reg-id', async () => {
    const world = await World.create()
    const registration = world.register({ instance, outboundProxies: proxies })
    await world.scenario.settle(registration.ready)
    await world.scenario.pass(200_000)
    world.scenario.network.resetStreams('10.0.0.1', '10.0.0.2')
    await world.scenario.pass(1)
    expect(world.bindings().map(({ regId }) => regId)).toEqual([2])
    expect(registration.isRegistered).toBe(true)
    await world.scenario.pass(5_000)
    expect(world.bindings().map(({ regId }) => regId)).toEqual([1, 2])
  })

  it('RFC 5626 §4.4: keeps connections and sockets alive as often as Flow-Timer says, and as a refresh changes it', async () => {
    let flowTimer: number | undefined = 20
    const world = await World.create({ registrationSecondsMax: 600 }, (request, { table, scenario }) => {
      const result = table.apply(request, scenario.clock.monotonicMs())
      const headers: HeaderInit[] = flowTimer === undefined ? [] : [['Flow-Timer', flowTimer]]
      request.reply(result.status, { ...result, headers: [...result.headers, ...headers] })
      return true
    })
    const { network } = world.scenario
    const kept: string[] = []
    const keep = (name: string, everyMs: number) => {
      const line = `${name} ${everyMs}`
      kept.push(line)
      return () => void kept.splice(kept.indexOf(line), 1)
    }
    const keeping = (factory: TransportFactory, more: Partial<Transport>): TransportFactory => ({
      scheme: factory.scheme,
      listen: async (...where) => Object.assign(await factory.listen(...where), more),
    })
    const phone = await world.scenario.stack('second', {
      listen: ['udp://10.0.0.3:5060', 'tcp://10.0.0.3:5060'],
      transports: [
        keeping(network.factory({ scheme: 'udp', transportName: 'UDP' }), {
          keepAlive: (_, everyMs) => keep('udp', everyMs),
        }),
        keeping(network.factory({ scheme: 'tcp', transportName: 'TCP', isReliable: true }), {
          keepFlowAlive: (_, everyMs) => keep('tcp', everyMs),
        }),
      ],
    })
    const registration = phone.register({ aor, instance, outboundProxies: proxies })
    await world.scenario.pass(1_000)
    expect(kept.sort()).toEqual(['tcp 20000', 'udp 20000'])
    for (const [next, expected] of [
      [60, ['tcp 60000', 'udp 29000']],
      [1, ['tcp 5000', 'udp 5000']],
      [undefined, ['tcp 116000', 'udp 29000']],
      [86_400, ['tcp 116000', 'udp 29000']],
    ] as const) {
      flowTimer = next
      await world.scenario.pass(600_000)
      expect(kept.sort()).toEqual(expected)
    }
    // A new connection is kept alive in place of the old one.
    network.resetStreams('10.0.0.1', '10.0.0.3')
    await world.scenario.pass(10_000)
    expect(kept.sort()).toEqual(['tcp 116000', 'udp 29000'])
    await world.scenario.settle(registration.unregister())
    expect(kept).toEqual([])
  })

  it('RFC 5626 §4.2.1: registers without outbound where the first hop lacks it', async () => {
    const world = await World.create({}, (request) => {
      if (!String(request.message.get('Contact')).includes('reg-id')) return false
      request.reply(439)
      return true
    })
    const registration = world.register({ instance })
    await world.scenario.settle(registration.ready)
    expect(registration.flows).toMatchObject([{ state: 'registered', isOutbound: false }])
    expect(world.bindings()).toMatchObject([{ instance, regId: undefined }])
  })

  it('RFC 5627 §4.2: knows its GRUUs', async () => {
    const gruu = { secret: new Uint8Array(32), random: new SeededRandom(3) }
    const world = await World.create({ gruu })
    const registration = world.register({ instance })
    await world.scenario.settle(registration.ready)
    expect(registration.publicGruu).toBe(`${aor};gr=${instance}`)
    expect(registration.temporaryGruu).toMatch(/^sip:tgruu\..+;gr$/)
    expect(registration.outgoing.contact).toBe(`<${aor};gr=${instance}>`)
  })
})

describe('a registrar that misbehaves', () => {
  const answers: readonly [string, number, readonly (readonly [string, string])[]][] = [
    ['grants nothing', 200, [['Contact', '<sip:alice@10.0.0.2:5060>;expires=0']]],
    ['grants a second', 200, [['Contact', '<sip:alice@10.0.0.2:5060>;expires=1']]],
    ['grants for ever', 200, [['Contact', '<sip:alice@10.0.0.2:5060>;expires=4294967295']]],
    ['lists a contact that cannot be read', 200, [['Contact', 'nonsense <']]],
    ['lists none', 200, []],
    ['lists those of others', 200, [['Contact', '<sip:x@1.1.1.1>;expires=9, <sip:y@1.1.1.1>;expires=9']]],
    ['says Service-Route that cannot be read', 200, [['Service-Route', '<<<']]],
    ['asks for less than we asked for', 423, [['Min-Expires', '1']]],
    ['asks for a time that cannot be read', 423, [['Min-Expires', 'soon']]],
    ['wants to be asked again in no time', 503, [['Retry-After', '0']]],
    ['wants to be asked again never', 503, [['Retry-After', '4294967295']]],
    ['redirects', 302, [['Contact', '<sip:alice@10.0.0.1>']]],
  ]

  it.each(answers)('%s: is asked no more than once in five seconds', async (_, status, headers) => {
    const world = await World.create({}, (request) => {
      request.reply(status, { headers, contact: false })
      return true
    })
    const registration = world.register()
    await world.scenario.pass(600_000)
    expect(world.registers()).toBeLessThanOrEqual(121)
    const ended = registration.unregister()
    await world.scenario.settle(ended)
  })

  it('never answers: each REGISTER has its 32 seconds and its wait, and unregistering does not hang', async () => {
    const world = await World.create({}, () => true)
    const registration = world.register()
    await world.scenario.pass(600_000)
    expect(world.seen.length).toBeLessThan(12)
    await world.scenario.settle(registration.unregister(), 40_000)
  })

  it('is told nothing twice by what makes no sense', async () => {
    const world = await World.create()
    for (const wrong of [
      { expiresSeconds: 0 },
      { expiresSeconds: 1e9 },
      { instance: 'urn:uuid:1">;evil' },
      { outboundProxies: Array.from({ length: 9 }, () => '<sip:p>') },
    ])
      expect(() => world.register(wrong)).toThrowError(expect.objectContaining({ code: 'REGISTRATION_INVALID' }))
    for (const wrong of [{ aor: 'tel:+1' }, { registrar: 'mailto:x' }, { outboundProxies: ['<'] }])
      expect(() => world.register(wrong)).toThrowError(expect.objectContaining({ code: 'TARGET_INVALID' }))
    expect(world.registers()).toBe(0)
  })
})

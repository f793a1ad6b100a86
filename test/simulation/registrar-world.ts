/**
 * Phones that register with one registrar on a bad network, by seed: connections break, the network is cut, the registrar
 * restarts with what its store has, phones come, refresh and go. A broken rule is an entry in `violations`.
 */
import {
  type BindingInit,
  BindingTable,
  createNodeRandom,
  DigestVerifier,
  digest,
  type IncomingRequest,
  type Registration,
  SipStack,
} from '@carillon/sip-transaction'
import { FakeClock, MemoryNetwork, type ObservedMessage, SeededRandom } from '@carillon/sip-transaction/testing'
import type { Sabotage } from './call-world.ts'

const server = '10.0.0.1'
const domain = 'example.com'
/** After this in calm weather every phone is registered again: the longest wait after a failure, and a transaction. */
const calmMs = 1_800_000 + 300_000
const grantedSeconds = 300

interface Phone {
  readonly name: string
  readonly host: string
  readonly stack: SipStack
  readonly instance: string | undefined
  /** undefined once it has gone. */
  registration: Registration | undefined
  readonly gone: Promise<void>[]
}

/** One run. */
export class RegistrarWorld {
  readonly violations: string[] = []
  readonly ladder: string[] = []
  sent = 0
  private readonly random: SeededRandom
  private readonly clock = new FakeClock()
  private readonly network: MemoryNetwork
  private readonly phones: Phone[] = []
  private readonly isStormy: boolean
  private readonly asksPasswords: boolean
  private readonly gruu = { secret: new Uint8Array(32).fill(1), random: new SeededRandom(9) }
  private table = this.newTable()
  private registrar!: SipStack
  /** The highest CSeq number by Call-ID, as sent. */
  private readonly numbers = new Map<string, number>()

  constructor(
    readonly seed: number,
    private readonly sabotage: Sabotage = () => false,
  ) {
    this.random = new SeededRandom(seed)
    this.isStormy = this.random.chance(0.6)
    this.asksPasswords = this.random.chance(0.5)
    const isBad = this.isStormy || this.random.chance(0.5)
    this.network = new MemoryNetwork({
      clock: this.clock,
      random: this.random.fork(),
      conditions: {
        lossRate: isBad ? this.random.fraction() * 0.3 : 0,
        duplicateRate: isBad ? this.random.fraction() * 0.3 : 0,
        reorderRate: isBad ? this.random.fraction() * 0.3 : 0,
        delayMinMs: this.random.integer(0, 40),
        delayMaxMs: this.random.integer(40, 400),
      },
    })
    this.network.observe((message) => this.watch(message))
  }

  /** Runs the operations, lets the weather clear, and checks the rules; then everybody leaves, and nothing is left. */
  async run(operations: number): Promise<void> {
    this.registrar = await this.stack('registrar', server, true)
    this.serve()
    const count = this.random.integer(1, 4)
    for (let index = 0; index < count; index += 1) await this.addPhone(index)
    for (let turn = 0; turn < operations; turn += 1) {
      this.operate()
      await this.clock.advance(this.random.pick([0, 10, 500, 5_000, 40_000, 200_000]))
      this.table.expire(this.clock.monotonicMs(), [])
    }
    this.network.heal()
    this.network.setConditions({ lossRate: 0, duplicateRate: 0, reorderRate: 0 })
    await this.clock.advance(calmMs)
    this.checkBound()
    for (const phone of this.phones) this.leave(phone)
    await this.clock.advance(100_000)
    this.checkGone()
    await this.end()
  }

  private newTable(): BindingTable {
    return new BindingTable({ registrationSecondsMax: grantedSeconds, gruu: this.gruu })
  }

  private async stack(name: string, host: string, isServer: boolean): Promise<SipStack> {
    const factories = [
      this.network.factory({ scheme: 'udp', transportName: 'UDP' }),
      this.network.factory({ scheme: 'tcp', transportName: 'TCP', isReliable: true }),
    ]
    return SipStack.create({
      listen: [`udp://${host}:5060`, `tcp://${host}:5060`],
      transports: factories.map((factory) => this.spoiled(factory)),
      clock: this.clock,
      random: this.random.fork(),
      ...(isServer ? { supported: ['outbound', 'path', 'gruu'] } : {}),
      logger: {
        debug: () => {},
        info: () => {},
        warn: () => {},
        error: (fields, message) => this.violate(`${name} logs an error: ${message} ${JSON.stringify(fields)}`),
      },
    })
  }

  private serve(): void {
    const random = this.asksPasswords ? this.random.fork() : createNodeRandom()
    const verifier = new DigestVerifier({ realm: domain, secret: random.bytes(32), random })
    const known = digest.required(verifier, () => ({ password: 'secret' }))
    const save = (request: IncomingRequest) => {
      const result = this.table.apply(request, this.clock.monotonicMs())
      // A second phone of the same name would be told apart; two bindings of one flow would not.
      const keys = result.bindings.map(({ instance, regId, uri }) =>
        regId === undefined ? uri : `${instance} ${regId}`,
      )
      if (new Set(keys).size < keys.length) this.violate(`one flow is bound twice: ${keys.join(', ')}`)
      request.reply(result.status, result)
    }
    this.registrar.method('REGISTER', ...(this.asksPasswords ? [known, save] : [save]))
    this.registrar.on('flowClosed', ({ flowId }) => this.table.removeFlow(flowId))
  }

  private async addPhone(index: number): Promise<void> {
    const host = `10.0.1.${index + 1}`
    const name = `phone${index}`
    const instance = this.random.chance(0.6) ? `urn:uuid:${index}` : undefined
    const phone: Phone = {
      ...{ name, host, instance, registration: undefined, gone: [] },
      stack: await this.stack(name, host, false),
    }
    this.phones.push(phone)
    this.join(phone)
  }

  private join(phone: Phone): void {
    if (phone.registration !== undefined) return
    const ways = [`<sip:${server};transport=tcp;lr>`, `<sip:${server};lr>`]
    const proxies = phone.instance === undefined ? [this.random.pick(ways)] : ways
    const registration = phone.stack.register({
      aor: `sip:${phone.name}@${domain}`,
      outboundProxies: proxies,
      credentials: { username: phone.name, password: 'secret' },
      expiresSeconds: this.random.pick([60, 300, 3_600]),
      keepAlive: false,
      ...(phone.instance === undefined ? {} : { instance: phone.instance }),
    })
    registration.on('refused', ({ response }) => {
      // A REGISTER that was overtaken by a later one is refused, and rightly; the phone has to be told to go on.
      if (response.status !== 401 && response.status !== 500)
        this.violate(`${phone.name}: refused with ${response.status}`)
      this.soon(() => registration.refresh())
    })
    phone.registration = registration
  }

  private leave(phone: Phone): void {
    if (phone.registration === undefined) return
    phone.gone.push(phone.registration.unregister())
    phone.registration = undefined
  }

  private operate(): void {
    const phone = this.random.pick(this.phones)
    const dice = this.random.fraction()
    if (dice < 0.2) phone.registration?.refresh()
    else if (dice < 0.35) this.leave(phone)
    else if (dice < 0.6) this.join(phone)
    else if (dice < 0.7) this.restart()
    else if (this.isStormy) this.worsen(phone)
  }

  private worsen(phone: Phone): void {
    const dice = this.random.fraction()
    if (dice < 0.4) this.network.resetStreams(server, phone.host)
    else if (dice < 0.6) this.network.partition([server], [phone.host])
    else if (dice < 0.9) this.network.heal()
    else {
      // Back in time a verifier cannot tell nonces that it has forgotten from new ones, and refuses both.
      const backMs = this.asksPasswords ? 0 : 86_400_000
      this.clock.setWall(this.clock.wallMs() + this.random.integer(-backMs, 86_400_000))
    }
  }

  /** The registrar's memory is lost but for what its store has. */
  private restart(): void {
    const kept: BindingInit[] = [...this.table.values()].map((binding) => binding.toInit())
    this.table = this.newTable()
    const nowMs = this.clock.monotonicMs()
    for (const init of kept) {
      if (!this.table.restore(init, nowMs) && init.expiresAtMs > nowMs) this.violate('a binding does not come back')
    }
  }

  /** Whoever wants to be registered is, by every flow, and is reached where it says. */
  private checkBound(): void {
    const nowMs = this.clock.monotonicMs()
    for (const { name, instance, registration } of this.phones) {
      const bindings = this.table.lookup(`${name}@${domain}`, nowMs)
      if (registration === undefined) {
        if (bindings.length > 0) this.violate(`${name} has gone and is still bound`)
        continue
      }
      const up = registration.flows.filter(({ state }) => state === 'registered')
      const wanted = instance === undefined ? 1 : 2
      if (up.length !== wanted) this.violate(`${name} has ${up.length} flows up of ${wanted}`)
      if (bindings.length !== wanted) this.violate(`${name} has ${bindings.length} bindings, and ${wanted} flows`)
      if (instance === undefined) continue
      const regIds = bindings.map(({ regId }) => regId).sort()
      if (regIds.join() !== '1,2') this.violate(`${name} is bound with reg-ids ${regIds.join()}`)
    }
  }

  private checkGone(): void {
    const left = [...this.table.values()].filter(({ expiresAtMs }) => expiresAtMs > this.clock.monotonicMs())
    if (left.length > 0) this.violate(`${left.length} contacts are left after everybody has gone`)
  }

  private async end(): Promise<void> {
    let waiting = 0
    for (const promise of this.phones.flatMap(({ gone }) => gone)) {
      waiting += 1
      void promise.then(() => {
        waiting -= 1
      })
    }
    await this.clock.advance(100_000)
    if (waiting > 0) this.violate(`${waiting} registrations never ended`)
    if (this.network.inFlight > 0) this.violate(`${this.network.inFlight} messages never arrived`)
    for (const stack of [this.registrar, ...this.phones.map((phone) => phone.stack)]) {
      const { transactions, requests, counters } = stack.stats()
      if (transactions > 0 || requests > 0) this.violate(`left over: ${JSON.stringify({ transactions, requests })}`)
      if (counters.handlerErrors > 0) this.violate(`${counters.handlerErrors} handlers failed`)
      const closing = stack.close({ graceMs: 0 })
      await this.clock.advance(10_000)
      await closing
    }
    this.table.expire(Number.POSITIVE_INFINITY, [])
    if (this.table.size + this.table.aorCount > 0) this.violate('the table keeps something for ever')
    if (this.clock.nextWakeMs() !== Number.POSITIVE_INFINITY) this.violate('a timer is left after close')
  }

  private watch({ atMs, from, to, bytes, fate }: ObservedMessage): void {
    this.sent += 1
    const text = Buffer.from(bytes).toString('latin1')
    const line = text.slice(0, text.indexOf('\r\n'))
    const [, number = '0', method = ''] = /^CSeq: (\d+) (\w+)/im.exec(text) ?? []
    if (this.ladder.length < 4_000)
      this.ladder.push(`${atMs.toFixed(1)} ${from.address} > ${to.address} ${line} (${number} ${method}) ${fate}`)
    const callId = /^Call-ID: (.*)$/im.exec(text)?.[1]?.trim() ?? ''
    if (line.startsWith('REGISTER ')) this.checkOrder(callId, Number(number))
  }

  /** RFC 3261 §10.2.4: numbers of one Call-ID rise; the same one to another server is the same request (RFC 3263 §4.3). */
  private checkOrder(callId: string, number: number): void {
    const highest = this.numbers.get(callId) ?? 0
    if (number < highest) this.violate(`${callId}: REGISTER ${number} goes out after ${highest}`)
    this.numbers.set(callId, Math.max(highest, number))
  }

  private spoiled(factory: ReturnType<MemoryNetwork['factory']>): ReturnType<MemoryNetwork['factory']> {
    return {
      scheme: factory.scheme,
      listen: async (...args) => {
        const transport = await factory.listen(...args)
        const send = transport.send.bind(transport)
        transport.send = (bytes, destination, failed) => {
          if (!this.sabotage(Buffer.from(bytes).toString('latin1'))) send(bytes, destination, failed)
        }
        return transport
      },
    }
  }

  private soon(act: () => void): void {
    this.clock.schedule(this.clock.monotonicMs() + this.random.integer(1_000, 60_000), act)
  }

  private violate(what: string): void {
    if (this.violations.length < 20) this.violations.push(`${this.clock.monotonicMs().toFixed(1)} ms: ${what}`)
  }
}

/**
 * Two transaction layers on a bad network, with transaction users that behave as a seed says, and the rules that hold
 * whatever happens. A broken rule is an entry in `violations`; the seed reproduces it.
 */
import { createRequest, responseTo, type SipRequest, type SipResponse } from '@carillon/sip-parser'
import {
  FakeClock,
  LayerPeer,
  MemoryNetwork,
  type ObservedMessage,
  SeededRandom,
} from '@carillon/sip-transaction/testing'
import { drawConditions } from './stack-room'

type Effect = Parameters<LayerPeer['onEffect']>[0]

/** What the user of a client transaction has seen. */
interface ClientRecord {
  readonly method: string
  readonly branch: string
  readonly destination: LayerPeer
  finals: number[]
  failures: number
  terminated: number
  isCancelled: boolean
}

/** What the user of a server transaction has seen. */
interface ServerRecord {
  readonly request: SipRequest
  isAnswered: boolean
  failures: number
  terminated: number
}

/** What the wire has seen of one transaction: its first final response, what had to be answered since, and the answers. */
interface Exchange {
  firstFinalMs: number
  /** Final responses to an INVITE that ask for an ACK; copies of another request that ask for its response again. */
  asked: number
  answered: number
}

/** One side: a peer and its books. */
interface Side {
  readonly peer: LayerPeer
  readonly clients: Map<number, ClientRecord>
  readonly servers: Map<number, ServerRecord>
}

/** How long anything may take: INVITE with timer C, CANCEL and its own time-outs, and the partitions on top. */
const DRAIN_MS = 900_000

/** How long a server knows a request again: timers H, J and L. */
const MEMORY_MS = 32_000

/** Within this time of the first final response neither side has forgotten the transaction, even at the longest delay. */
const ATTENTIVE_MS = 20_000

const HOSTS = ['10.0.0.1', '10.0.0.2'] as const
const METHODS = ['INVITE', 'INVITE', 'INVITE', 'OPTIONS', 'MESSAGE', 'REGISTER'] as const
const FINALS = [200, 200, 200, 302, 401, 404, 486, 503, 603] as const

/** Which conditions a world has. */
export type Weather = 'calm' | 'lossy' | 'stormy'

/** One run. */
export class TransactionWorld {
  readonly violations: string[] = []
  /** Messages that were sent, for the report of a failing seed. */
  readonly ladder: string[] = []
  sent = 0
  private readonly random: SeededRandom
  private readonly clock = new FakeClock()
  private readonly network: MemoryNetwork
  private readonly sides: Side[] = []
  private readonly isReliable: boolean
  private readonly weather: Weather
  /** INVITE branches with a failure response at the client, and those whose ACK has been sent. */
  private readonly failed = new Set<string>()
  private readonly acknowledged = new Set<string>()
  private readonly provisional = new Set<string>()
  private readonly passedUp = new Map<string, number>()
  private readonly exchanges = new Map<string, Exchange>()
  private readonly inviteCopies = new Map<string, number>()

  constructor(readonly seed: number) {
    this.random = new SeededRandom(seed)
    this.isReliable = this.random.chance(0.3)
    this.weather = this.random.pick(['calm', 'lossy', 'lossy', 'stormy'] as const)
    this.network = new MemoryNetwork({
      clock: this.clock,
      random: this.random.fork(),
      // Four times the longest delay is the longest there is; with reordering it stays below T4, as RFC 3261 assumes.
      conditions: drawConditions(this.random, {
        isBad: this.weather !== 'calm',
        lossRateMax: 0.4,
        delayMinMs: 50,
        calmDelayMs: 200,
        badDelayMs: 1_200,
      }),
    })
    this.network.observe((message) => this.watch(message))
  }

  /** Runs the operations, waits for everything to end, and checks the rules. */
  async run(operations: number): Promise<void> {
    const factory = this.network.factory({
      isReliable: this.isReliable,
      transportName: this.isReliable ? 'TCP' : 'UDP',
    })
    for (const address of HOSTS) await this.addSide(factory, address)
    for (let count = 0; count < operations; count += 1) {
      this.operate()
      this.clock.advanceSync(this.random.pick([0, 1, 10, 100, 500, 2000]))
    }
    for (const { peer } of this.sides) peer.resume()
    this.network.heal()
    this.clock.advanceSync(DRAIN_MS)
    this.check()
    for (const { peer } of this.sides) await peer.close()
  }

  private async addSide(factory: ReturnType<MemoryNetwork['factory']>, address: string): Promise<void> {
    const clients = new Map<number, ClientRecord>()
    const servers = new Map<number, ServerRecord>()
    const peer = await LayerPeer.create({ factory, clock: this.clock, random: this.random.fork(), address, port: 5060 })
    const side: Side = { peer, clients, servers }
    peer.onEffect = (effect) => this.use(side, effect)
    this.sides.push(side)
  }

  private operate(): void {
    const side = this.random.pick(this.sides)
    const other = this.sides[side === this.sides[0] ? 1 : 0]!
    const dice = this.random.fraction()
    if (dice < 0.6) this.start(side, other)
    else if (dice < 0.8) this.cancelSome(side)
    else if (this.weather !== 'stormy') this.cancelSome(other)
    else if (dice < 0.86) this.network.partition([HOSTS[0]], [HOSTS[1]])
    else if (dice < 0.92) this.network.heal()
    else if (dice < 0.95) this.network.resetStreams(HOSTS[0], HOSTS[1])
    else this.hang(side)
  }

  private hang(side: Side): void {
    side.peer.pause()
    this.clock.schedule(this.clock.monotonicMs() + this.random.integer(1, 40_000), () => side.peer.resume())
  }

  private start(side: Side, other: Side): void {
    const method = this.random.pick(METHODS)
    const request = side.peer.makeRequest({ method, to: other.peer.address })
    const branch = request.via.branch ?? ''
    const record: ClientRecord = {
      method,
      branch,
      destination: other.peer,
      finals: [],
      failures: 0,
      terminated: 0,
      isCancelled: false,
    }
    side.peer.request(request, other.peer.address, (id) => side.clients.set(id, record))
  }

  private cancelSome(side: Side): void {
    const open = [...side.clients].filter(([, record]) => record.method === 'INVITE' && !isOver(record))
    if (open.length === 0) return
    const [id, record] = this.random.pick(open)
    record.isCancelled = true
    side.peer.cancel(id)
  }

  private use(side: Side, effect: Effect): void {
    switch (effect.kind) {
      case 'request':
        this.serve(side, effect.transactionId, effect.request)
        break
      case 'response':
        this.takeResponse(side, effect)
        break
      case 'failed':
      case 'terminated':
        this.takeEnd(side, effect.transactionId, effect.kind)
        break
      case 'cancelled':
        this.takeCancelled(side, effect.transactionId)
        break
      default:
    }
  }

  /** A server user: answers when and how it likes, sometimes twice, sometimes never. */
  private serve(side: Side, id: number, request: SipRequest): void {
    const key = `${side.peer.address.address} ${request.method} ${request.via.branch}`
    const nowMs = this.clock.monotonicMs()
    const beforeMs = this.passedUp.get(key) ?? Number.NEGATIVE_INFINITY
    // After 64·T1 nobody remembers it; a process that hung may find its timers due before the messages that waited.
    if (nowMs - beforeMs < MEMORY_MS && this.weather !== 'stormy') this.violate(`${key} reached its user twice`)
    this.passedUp.set(key, nowMs)
    side.servers.set(id, { request, isAnswered: false, failures: 0, terminated: 0 })
    const isInvite = request.method === 'INVITE'
    let atMs = 0
    const provisionals = this.random.integer(0, isInvite ? 3 : 1)
    for (let count = 0; count < provisionals; count += 1) {
      atMs += this.random.integer(0, 1500)
      this.later(atMs, () => this.respond(side, id, isInvite ? this.random.pick([180, 183]) : 100))
    }
    // An INVITE without an answer is for its caller to cancel, or for timer C.
    if (this.random.chance(0.1)) return
    atMs += this.random.pick([0, 0, 50, 3000, isInvite ? 60_000 : 10_000])
    this.later(atMs, () => this.respond(side, id, this.random.pick(FINALS)))
    if (this.random.chance(0.2)) this.later(atMs + 100, () => this.respond(side, id, this.random.pick(FINALS)))
  }

  private respond(side: Side, id: number, status: number): void {
    const record = side.servers.get(id)
    if (record === undefined) return
    if (status >= 200) record.isAnswered = true
    side.peer.respond(id, responseTo(record.request, status, { toTag: `tag${id}` }))
  }

  private takeCancelled(side: Side, id: number): void {
    const record = side.servers.get(id)
    if (record?.isAnswered !== false) return
    // Some users forget that they have been told.
    if (this.random.chance(0.8)) this.later(this.random.integer(0, 500), () => this.respond(side, id, 487))
  }

  private takeResponse(side: Side, effect: Extract<Effect, { kind: 'response' }>): void {
    const record = side.clients.get(effect.transactionId)
    if (record === undefined) {
      this.violate(`a response for transaction ${effect.transactionId} that nobody began`)
      return
    }
    const { status } = effect.response
    const [first] = record.finals
    if (record.failures + record.terminated > 0) this.violate(`${record.branch}: ${status} after its end`)
    if (status < 200) {
      if (first !== undefined) this.violate(`${record.branch}: ${status} after ${first}`)
      return
    }
    const mayRepeat = record.method === 'INVITE' && status < 300 && first !== undefined && first < 300
    if (first !== undefined && !mayRepeat) this.violate(`${record.branch}: ${status} after ${first}`)
    record.finals.push(status)
    if (record.method !== 'INVITE') return
    if (status >= 300) this.failed.add(record.branch)
    else side.peer.sendBytes(ackFor2xx(side.peer, effect.response, record.destination), record.destination.address)
  }

  private takeEnd(side: Side, id: number, kind: 'failed' | 'terminated'): void {
    const record = side.clients.get(id) ?? side.servers.get(id)
    if (record === undefined) {
      this.violate(`${kind} for transaction ${id} that nobody knows`)
      return
    }
    if (record.terminated > 0) this.violate(`transaction ${id}: ${kind} after terminated`)
    if (kind === 'terminated') record.terminated += 1
    else {
      record.failures += 1
      if (record.failures > 1) this.violate(`transaction ${id} failed twice`)
      if ('finals' in record && record.finals.length > 0)
        this.violate(`${record.branch}: failed after its final response`)
    }
  }

  /** What can be seen on the wire. */
  private watch({ atMs, from, bytes, fate }: ObservedMessage): void {
    this.sent += 1
    const text = Buffer.from(bytes).toString('latin1')
    const line = text.slice(0, text.indexOf('\r\n'))
    const branch = /;branch=([^;\r\n]+)/.exec(text)?.[1] ?? ''
    const [, number = '', method = ''] = /CSeq: (\d+) (\w+)/.exec(text) ?? []
    if (this.ladder.length < 400)
      this.ladder.push(`${atMs.toFixed(1)} ${from.address} ${line} (${number} ${method} ${branch}) ${fate}`)
    if (line.startsWith('ACK ')) this.acknowledged.add(branch)
    if (line.startsWith('INVITE ')) this.inviteCopies.set(branch, (this.inviteCopies.get(branch) ?? 0) + 1)
    if (line.startsWith('SIP/2.0 1') && method === 'INVITE' && fate === 'sent') this.provisional.add(branch)
    this.follow(line, `${number} ${method === 'ACK' ? 'INVITE' : method} ${branch}`, atMs, fate === 'sent')
    if (line.startsWith('CANCEL ') && !this.provisional.has(branch)) {
      this.violate(`${branch}: CANCEL before any provisional response`)
    }
  }

  /** Books what asks for an answer and what is one: failure and ACK, repeated request and repeated response. */
  private follow(line: string, key: string, atMs: number, isDelivered: boolean): void {
    const isInvite = key.includes(' INVITE ')
    const exchange = this.exchanges.get(key)
    if (/^SIP\/2\.0 [2-6]/.test(line)) {
      const isFailure = !line.startsWith('SIP/2.0 2')
      if (isInvite && !isFailure) return
      const isAsking = isInvite && isDelivered
      if (exchange === undefined) this.exchanges.set(key, { firstFinalMs: atMs, asked: isAsking ? 1 : 0, answered: 0 })
      else if (!isInvite) exchange.answered += 1
      else if (isAsking && atMs - exchange.firstFinalMs < ATTENTIVE_MS) exchange.asked += 1
    } else if (exchange !== undefined && !line.startsWith('SIP/')) {
      if (line.startsWith('ACK ')) exchange.answered += 1
      else if (!isInvite && isDelivered && atMs - exchange.firstFinalMs < ATTENTIVE_MS) exchange.asked += 1
    }
  }

  private checkExchanges(): void {
    if (this.weather === 'stormy') return
    for (const [key, { asked, answered }] of this.exchanges) {
      const [, method = '', branch = ''] = key.split(' ')
      // An INVITE whose client had given up before is nobody's to acknowledge.
      if (method === 'INVITE' && !this.failed.has(branch)) continue
      if (answered < asked) this.violate(`${key}: ${asked} messages wanted an answer, ${answered} got one`)
    }
  }

  private check(): void {
    this.checkExchanges()
    for (const { peer, clients, servers } of this.sides) {
      for (const [id, record] of clients) {
        const isEnded = record.finals.length > 0 !== record.failures > 0
        if (!isEnded)
          this.violate(`${record.method} ${id} ended ${record.finals.length} times well and ${record.failures} badly`)
        if (record.terminated !== 1) this.violate(`client transaction ${id} was terminated ${record.terminated} times`)
      }
      for (const [id, record] of servers) {
        const isOwed = record.request.method === 'INVITE' && !record.isAnswered
        if (!isOwed && record.terminated !== 1)
          this.violate(`server transaction ${id} was terminated ${record.terminated} times`)
        // Without loss every failure response gets its ACK.
        const isCalm = this.weather === 'calm'
        if (isCalm && record.isAnswered && record.failures > 0) this.violate(`server transaction ${id} saw no ACK`)
      }
      this.checkDrained(peer, servers)
    }
    for (const branch of this.failed) if (!this.acknowledged.has(branch)) this.violate(`${branch}: failure without ACK`)
    for (const [branch, copies] of this.inviteCopies) {
      const most = this.isReliable ? 1 : 7
      if (copies > most) this.violate(`${branch}: INVITE sent ${copies} times`)
    }
    if (this.network.inFlight > 0) this.violate(`${this.network.inFlight} messages never arrived`)
  }

  private checkDrained(peer: LayerPeer, servers: ReadonlyMap<number, ServerRecord>): void {
    // An INVITE that its user never answers and nobody cancels is the one thing that may remain.
    const owed = [...servers].filter(
      ([id, { request }]) => request.method === 'INVITE' && peer.layer.stateOf(id) === 'proceeding',
    )
    for (const [id, { request }] of owed) peer.respond(id, responseTo(request, 480, { toTag: 'late' }))
    this.clock.advanceSync(100_000)
    const { counts, counters } = peer.layer
    if (counts.total > 0 || counts.bytes !== 0 || counts.finished !== 0)
      this.violate(`left over: ${JSON.stringify(counts)}`)
    if (peer.layer.deadline() !== Number.POSITIVE_INFINITY) this.violate('a timer is left')
    if (counters.invariantsBroken > 0) this.violate(`${counters.invariantsBroken} inputs that cannot come`)
    if (peer.dropped > 0) this.violate(`${peer.dropped} messages of our own could not be read`)
  }

  private later(afterMs: number, act: () => void): void {
    this.clock.schedule(this.clock.monotonicMs() + afterMs, act)
  }

  private violate(what: string): void {
    if (this.violations.length < 20) this.violations.push(`${this.clock.monotonicMs().toFixed(1)} ms: ${what}`)
  }
}

function isOver(record: ClientRecord): boolean {
  return record.finals.length + record.failures + record.terminated > 0
}

/** The ACK to a 2xx has a transaction of its own, hence another branch (RFC 3261 §13.2.2.4). */
function ackFor2xx(peer: LayerPeer, response: SipResponse, to: LayerPeer): Uint8Array {
  const { transport, address, port } = peer.address
  return createRequest({
    method: 'ACK',
    uri: `sip:peer@${to.address.address}:${to.address.port}`,
    headers: [
      ['Via', `SIP/2.0/${transport} ${address}:${port};branch=${response.via.branch}-ack`],
      ['Max-Forwards', 70],
      ['From', response.from],
      ['To', response.to],
      ['Call-ID', response.callId],
      ['CSeq', `${response.cseq.seq} ACK`],
    ],
  }).toBytes()
}

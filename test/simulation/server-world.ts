/**
 * A phone and the servers of a domain, by seed: SRV records of every kind, servers that are dead, busy, mute, or die and
 * come back, a DNS that fails, falls silent or changes its mind (RFC 3263). A broken rule is an entry in `violations`; the
 * seed reproduces it.
 */
import { type Call, defaultTransportLimits, type IncomingRequest, type SipStack } from '@carillon/sip-transaction'
import { type ObservedMessage, silentLogger, ZoneResolver, type ZoneTrouble } from '@carillon/sip-transaction/testing'
import { StackRoom } from './stack-room'
import { WireBook } from './wire-book'

const drainMs = 1_200_000
const sdp = 'v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'
const schemes = ['udp', 'tcp'] as const
/** What a server of the zone is like for a whole run. */
const tempers = ['alive', 'alive', 'dead', 'busy', 'mute'] as const
const troubles = ['failed', 'timeout', 'silent', 'reject'] as const satisfies readonly ZoneTrouble[]

type Scheme = (typeof schemes)[number]

/** A server as the zone and the network know it. */
interface Server {
  readonly name: string
  readonly host: string
  readonly schemes: readonly Scheme[]
  readonly temper: (typeof tempers)[number]
  stack: SipStack | undefined
}

/** One run. */
export class ServerWorld {
  readonly violations: string[]
  readonly ladder: string[]
  private readonly room: StackRoom
  private readonly book = new WireBook(true)
  private readonly servers: Server[] = []
  private readonly calls = new Set<Call>()
  private readonly aborts: AbortController[] = []
  private resolver!: ZoneResolver
  /** In calm weather the servers, the network and the DNS stay as they are, so that it can be told what has to succeed. */
  private readonly isCalm: boolean
  /** Requests that a server has answered 2xx, by Call-ID and CSeq. */
  private readonly taken = new Map<string, Set<string>>()

  /** @param sabotage servers for which it is true are never tried, as if the zone did not name them */
  constructor(
    readonly seed: number,
    private readonly sabotage: (host: string) => boolean = () => false,
  ) {
    this.room = new StackRoom(seed, (random) => ({
      lossRate: 0,
      delayMinMs: random.integer(0, 20),
      delayMaxMs: random.integer(20, 200),
    }))
    const { random } = this.room
    this.isCalm = random.chance(0.5)
    if (!this.isCalm) this.room.network.setConditions({ lossRate: random.fraction() * 0.2, duplicateRate: 0.1 })
    this.violations = this.room.violations
    this.ladder = this.room.ladder
    this.room.network.observe((message) => this.watch(message))
  }

  get sent(): number {
    return this.room.sent
  }

  /** Runs the operations, lets everything end, and checks the rules. */
  async run(operations: number): Promise<void> {
    const { room } = this
    const { random, clock } = room
    const count = random.integer(1, 4)
    for (let index = 1; index <= count; index += 1) await this.addServer(index)
    this.resolver = new ZoneResolver({ zone: this.zone(), clock })
    const phone = await room.stack('phone', {
      listen: schemes.map((scheme) => `${scheme}://10.0.0.1:5060`),
      dns: { resolver: this.resolver },
    })
    for (let step = 0; step < operations; step += 1) {
      await this.operate(phone)
      await clock.advance(random.pick([0, 1, 50, 400, 3_000, 20_000]))
    }
    for (const name of this.questions())
      for (const type of ['SRV', 'A', 'NAPTR'] as const) this.resolver.trouble(type, name, undefined)
    for (const abort of this.aborts) abort.abort()
    for (let round = 0; round < 3; round += 1) {
      for (const call of this.calls) void call.bye()
      await clock.advance(40_000)
    }
    await room.end(drainMs)
    this.book.close()
    if (this.isCalm) this.violations.push(...this.book.violations)
    for (const [request, by] of this.taken) {
      if (this.isCalm && by.size > 1) room.violate(`${request} was taken by ${[...by].join(' and ')}`)
    }
  }

  private async addServer(index: number): Promise<void> {
    const { random } = this.room
    const some = random.pick([['udp'], ['tcp'], ['udp', 'tcp']] as const)
    const server: Server = {
      name: `s${index}`,
      host: `10.0.1.${index}`,
      schemes: some,
      temper: random.pick(tempers),
      stack: undefined,
    }
    this.servers.push(server)
    if (server.temper !== 'dead') await this.startServer(server)
  }

  private async startServer(server: Server): Promise<void> {
    if (server.temper === 'mute') return this.swallow(server)
    const listen = server.schemes.map((scheme) => `${scheme}://${server.host}:5060`)
    const stack = await this.room.stack(server.name, { listen })
    server.stack = stack
    const answer = (status: number) => (request: IncomingRequest) => this.answer(server, request, status)
    if (server.temper === 'busy') {
      stack.use((request) =>
        request.reply(503, this.room.random.chance(0.5) ? { headers: [['Retry-After', '40']] } : {}),
      )
      return
    }
    stack.method('MESSAGE', answer(202)).method('OPTIONS', answer(200))
    stack.method('INVITE', (request) => {
      request.reply(180)
      this.room.later(this.room.random.integer(0, 3_000), () => {
        if (request.isAnswered) return
        this.took(server, request)
        this.room.expects(request.accept({ sdp }).then((call) => this.keep(call)))
      })
    })
  }

  /** A machine that takes what comes, and never says a word. */
  private async swallow({ host, schemes: its }: Server): Promise<void> {
    const { network, clock } = this.room
    const ignore = () => {}
    const sink = { message: ignore, garbage: ignore, flowOpened: ignore, flowClosed: ignore }
    const context = { clock, logger: silentLogger, limits: defaultTransportLimits, nextFlowId: () => 1 }
    for (const scheme of its) {
      const factory = network.factory({ scheme, transportName: scheme.toUpperCase(), isReliable: scheme === 'tcp' })
      await factory.listen(host, 5060, sink, context)
    }
  }

  private answer(server: Server, request: IncomingRequest, status: number): void {
    this.took(server, request)
    request.reply(status)
  }

  private took({ name }: Server, { method, callId, cseq }: IncomingRequest): void {
    const key = `${method} ${callId} ${cseq.seq}`
    const by = this.taken.get(key) ?? new Set()
    this.taken.set(key, by.add(name))
  }

  private keep(call: Call): void {
    this.calls.add(call)
    void call.ended.then(() => this.calls.delete(call))
  }

  /** SRV records for every server, some of them behind NAPTR, some names without any. */
  private zone(): string {
    const { random } = this.room
    const lines = ['$ORIGIN example.com.']
    const hasOrder = random.chance(0.4)
    for (const scheme of schemes) {
      const service = scheme === 'udp' ? 'SIP+D2U' : 'SIP+D2T'
      if (hasOrder) lines.push(`@ NAPTR ${random.integer(1, 3)} 0 "s" "${service}" "" _sip._${scheme}`)
    }
    for (const { name, host, schemes: its } of this.servers) {
      if (!this.sabotage(host)) lines.push(`${name} A ${host}`)
      for (const scheme of its)
        lines.push(`_sip._${scheme} SRV ${random.integer(1, 3)} ${random.integer(0, 5)} 5060 ${name}`)
    }
    if (random.chance(0.2)) lines.push('_sip._udp SRV 1 0 5060 nowhere')
    return `${lines.join('\n')}\n`
  }

  private async operate(phone: SipStack): Promise<void> {
    const { random } = this.room
    const dice = random.fraction()
    if (dice < 0.5) this.ask(phone, random.pick(['MESSAGE', 'OPTIONS']))
    else if (dice < 0.7) this.call(phone)
    else if (dice < 0.8) for (const call of this.calls) void call.bye()
    else if (!this.isCalm) await this.worsen()
  }

  private async worsen(): Promise<void> {
    const { random } = this.room
    const dice = random.fraction()
    const server = random.pick(this.servers)
    if (dice < 0.35) {
      const trouble = random.chance(0.5) ? undefined : random.pick(troubles)
      this.resolver.trouble(random.pick(['SRV', 'A', 'NAPTR'] as const), random.pick(this.questions()), trouble)
    } else if (dice < 0.5) this.resolver.replace(this.zone())
    else if (dice < 0.6) this.resolver.delay(random.integer(0, 3_000))
    else if (dice < 0.7) this.room.network.resetStreams('10.0.0.1', server.host)
    else if (server.temper === 'mute') return
    else if (server.stack === undefined) await this.startServer(server)
    else {
      const { stack } = server
      server.stack = undefined
      await this.room.stop(stack)
    }
  }

  private questions(): string[] {
    return [
      'example.com',
      '_sip._udp.example.com',
      '_sip._tcp.example.com',
      ...this.servers.map(({ name }) => `${name}.example.com`),
    ]
  }

  /** In calm weather a request succeeds when any server takes it, unless the phone has no time left for it. */
  private ask(phone: SipStack, method: string): void {
    const asked = phone.request({
      method,
      uri: 'sip:example.com',
      body: 'x'.repeat(this.room.random.pick([0, 100, 2_000])),
    })
    this.room.expects(asked)
    asked.then(
      ({ status }) => this.judge(`${method} was answered ${status}`, status),
      (error: Error) => this.judge(`${method} failed: ${error.message}`, 0),
    )
  }

  private call(phone: SipStack): void {
    const abort = new AbortController()
    this.aborts.push(abort)
    const calling = phone.invite('sip:bob@example.com', { sdp, signal: abort.signal }).then((call) => this.keep(call))
    this.room.expects(calling)
    calling.catch((error: Error) => {
      if (!abort.signal.aborted) this.judge(`INVITE failed: ${error.message}`, 0)
    })
  }

  private judge(what: string, status: number): void {
    // Which transport is taken is for the zone to say; a server that has both is found in any case.
    const isPossible = this.servers.some((server) => server.temper === 'alive' && server.schemes.length === 2)
    const isGood = status >= 200 && status < 300
    if (this.isCalm && isPossible && !isGood)
      this.room.violate(`${what}, and a server that would have taken it was there`)
  }

  private watch(message: ObservedMessage): void {
    this.book.note(message)
  }
}

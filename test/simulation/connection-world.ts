/**
 * Phones that have nothing but the connection they opened, over TLS, and a server that reaches them by it; connections break
 * at any moment, in the middle of calls, requests and answers (RFC 3261 §18.2.2, RFC 5626 §1). A broken rule is an entry in
 * `violations`; the seed reproduces it.
 */
import { type Call, type IncomingRequest, type SipStack, SipTransactionError } from '@carillon/sip-transaction'
import type { ObservedMessage } from '@carillon/sip-transaction/testing'
import { StackRoom } from './stack-room'

const drainMs = 1_200_000
const server = '10.0.0.1'
const sdp = 'v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'
const phonesMax = 4
/** The longest way of a message in these worlds, and back. */
const roundTripMs = 1_000

/** One run. */
export class ConnectionWorld {
  readonly violations: string[]
  readonly ladder: string[]
  private readonly room: StackRoom
  private readonly phones: SipStack[] = []
  private readonly calls = new Set<Call>()
  /** Flows of the server by the user who registered on them. */
  private readonly registered = new Map<string, number>()
  /** Flows of the server that have closed, and when. */
  private readonly closed = new Map<number, number>()
  /** Where each request came from, by branch: its answers may go nowhere else. */
  private readonly origins = new Map<string, string>()
  /** Ends of connections that have broken. */
  private readonly broken = new Set<string>()
  /** Answers that went elsewhere before anybody was told that their connection had broken, by that connection. */
  private readonly strays = new Map<string, { readonly what: string; readonly atMs: number }>()
  /** Connections on which the server has ever sent or got anything. */
  private readonly seen = new Set<number>()

  constructor(readonly seed: number) {
    this.room = new StackRoom(seed, (random) => ({
      delayMinMs: random.integer(0, 30),
      delayMaxMs: random.integer(30, roundTripMs / 4),
    }))
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
    const hub = await this.startServer()
    for (let index = 0; index < random.integer(1, phonesMax); index += 1) await this.startPhone(index)
    for (let step = 0; step < operations; step += 1) {
      this.operate(hub)
      await clock.advance(random.pick([0, 1, 40, 300, 2_000, 10_000]))
    }
    for (let round = 0; round < 3; round += 1) {
      for (const call of this.calls) void call.bye()
      await clock.advance(40_000)
    }
    await clock.advance(drainMs)
    // Every connection that still is there breaks now, and all of them are told of, once.
    for (let index = 0; index < this.phones.length; index += 1) room.network.resetStreams(server, `10.0.0.${index + 2}`)
    await clock.advance(drainMs)
    for (const flow of this.seen)
      if (!this.closed.has(flow)) room.violate(`nobody was told that connection ${flow} broke`)
    if (hub.stats().connections !== 0)
      room.violate(`${hub.stats().connections} connections are counted and none is there`)
    for (const { what } of this.strays.values()) room.violate(what)
    await room.end(0)
  }

  private async startServer(): Promise<SipStack> {
    const hub = await this.room.stack('hub', { listen: [`tls://${server}:5061`], sessionTimers: false })
    hub.on('connectionClosed', ({ flowId, remote }) => {
      const name = `${remote.address}:${remote.port}`
      this.broken.add(name)
      // What breaks and what is answered in one instant may be told of in either order.
      if (this.strays.get(name)?.atMs === this.room.clock.monotonicMs()) this.strays.delete(name)
      if (this.closed.has(flowId)) this.room.violate(`connection ${flowId} closed twice`)
      this.closed.set(flowId, this.room.clock.monotonicMs())
      for (const [user, flow] of this.registered) if (flow === flowId) this.registered.delete(user)
    })
    hub.use((request, next) => {
      const { flowId } = request.source
      this.seen.add(flowId)
      if (this.closed.has(flowId)) this.room.violate(`${request.method} came on connection ${flowId}, which had closed`)
      return next()
    })
    hub.method('REGISTER', (request) => {
      this.registered.set(userOf(request), request.source.flowId)
      this.answerSoon(request, 200)
    })
    hub.method('MESSAGE', (request) => this.answerSoon(request, 202))
    hub.method('INVITE', (request) => this.ring(request))
    return hub
  }

  private async startPhone(index: number): Promise<void> {
    const phone = await this.room.stack(`phone${index}`, {
      listen: [`tls://10.0.0.${index + 2}:5061`],
      sessionTimers: false,
    })
    phone.method('MESSAGE', (request) => this.answerSoon(request, 200))
    phone.method('INVITE', (request) => this.ring(request))
    this.phones.push(phone)
  }

  private answerSoon(request: IncomingRequest, status: number): void {
    this.room.later(this.room.random.integer(0, 1_000), () => request.reply(status))
  }

  private ring(request: IncomingRequest): void {
    const { random } = this.room
    request.reply(180, { reliable: random.chance(0.4) })
    this.room.later(random.integer(0, 4_000), () => {
      if (request.isAnswered) return
      if (random.chance(0.3)) request.reply(486)
      else this.room.expects(request.accept({ sdp }).then((call) => this.keep(call)))
    })
  }

  private keep(call: Call): void {
    this.calls.add(call)
    this.room.expects(call.ended)
    void call.ended.then(() => this.calls.delete(call))
    call.onRequest((request) => request.reply(200, { body: sdp }))
  }

  private operate(hub: SipStack): void {
    const { random } = this.room
    const dice = random.fraction()
    const index = random.integer(0, this.phones.length - 1)
    const phone = this.phones[index]!
    const user = `user${index}`
    const from = `<sip:${user}@hub.example>`
    const uri = `sip:${server}:5061;transport=tls`
    if (dice < 0.2) this.room.expects(phone.request({ method: 'REGISTER', uri, from, to: from }))
    else if (dice < 0.3) this.room.expects(phone.request({ method: 'MESSAGE', uri, from }))
    else if (dice < 0.4) this.call(phone.invite(uri, { sdp, from }))
    else if (dice < 0.55) this.reach(hub, user)
    else if (dice < 0.65) this.callBack(hub, user)
    else if (dice < 0.72) for (const call of [...this.calls].slice(-1)) void call.bye()
    else if (dice < 0.8) for (const call of [...this.calls].slice(-2)) this.room.expects(call.reinvite({ sdp }))
    else if (dice < 0.95) this.room.network.resetStreams(server, `10.0.0.${index + 2}`)
    else this.room.network.resetStreams(`10.0.0.${index + 2}`, server)
  }

  private call(calling: Promise<Call>): void {
    this.room.expects(calling.then((call) => this.keep(call)))
  }

  /**
   * A request to a phone by its connection. It fails only when that breaks: then, or when no answer comes by another
   * connection in 64·T1 either. None is sent on one that has closed.
   */
  private reach(hub: SipStack, user: string): void {
    const flowId = this.registered.get(user)
    if (flowId === undefined) return
    const asked = hub.request({ method: 'MESSAGE', uri: `sip:${user}@phone.invalid`, destination: { flowId } })
    this.room.expects(asked)
    asked.catch((error: unknown) => {
      const code = error instanceof SipTransactionError ? error.code : String(error)
      // The news that the connection is gone may still be on its way.
      this.room.later(roundTripMs, () => {
        if (!this.closed.has(flowId))
          this.room.violate(`a request to ${user} failed (${code}), and its connection is up`)
      })
    })
  }

  private callBack(hub: SipStack, user: string): void {
    const flowId = this.registered.get(user)
    if (flowId !== undefined) this.call(hub.invite(`sip:${user}@phone.invalid`, { sdp, destination: { flowId } }))
  }

  /** RFC 3261 §18.2.2: an answer goes back on the connection of its request; once that has broken, to its sender still. */
  private watch({ from, to, bytes, fate }: ObservedMessage): void {
    const text = Buffer.from(bytes).toString('latin1')
    const branch = /;branch=([^;\r\n]+)/.exec(text)?.[1] ?? ''
    const key = `${branch} ${/^CSeq: .*?(\w+)\r$/im.exec(text)?.[1] ?? ''}`
    if (!text.startsWith('SIP/2.0')) {
      if (fate === 'sent') this.origins.set(key, `${from.address}:${from.port}`)
      return
    }
    const origin = this.origins.get(key)
    const goal = `${to.address}:${to.port}`
    if (fate !== 'sent' || origin === goal) return
    const what = `an answer to ${origin} went to ${goal}: ${text.split('\r\n')[0]}`
    if (origin === undefined || !origin.startsWith(`${to.address}:`)) this.room.violate(what)
    else if (!this.broken.has(origin)) this.strays.set(origin, { what, atMs: this.room.clock.monotonicMs() })
  }
}

function userOf(request: IncomingRequest): string {
  return /sips?:(\w+)@/.exec(request.from.uri.toString())?.[1] ?? ''
}

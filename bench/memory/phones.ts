/**
 * The load of the memory suite: phones on a SipStack of their own in the same process, so that the stack is used, and
 * counted, on both sides.
 */
import { type Call, CallFailedError, SipStack } from '@carillon/sip-transaction'

/** Of one call that is refused for overload, and the time between two of them. */
const triesMax = 40
const retryAfterMs = 250

/** How a call of the suite is to go. */
export type CallKind = 'answered' | 'cancelled' | 'busy'

const sdp = (port: number): string =>
  `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n`

/** Many phones behind one socket. */
export class Phones {
  readonly #stack: SipStack
  readonly #server: string
  readonly #domain: string

  private constructor(stack: SipStack, serverPort: number, domain: string) {
    this.#stack = stack
    this.#server = `sip:127.0.0.1:${serverPort}`
    this.#domain = domain
  }

  /** Opens the socket. Users whose name begins with 3 answer, with 4 ring for ever, with 5 are busy. */
  static async open(serverPort: number, domain: string): Promise<Phones> {
    const stack = await SipStack.create({
      listen: ['udp://127.0.0.1:0'],
      userAgent: 'bench',
      // The phones are not what is tested, and they stand still with the server whose objects are counted.
      protection: { overload: false },
    })
    stack.method('INVITE', async (request) => {
      const user = request.uri.scheme === 'sip' && 'user' in request.uri ? (request.uri.user ?? '') : ''
      if (user.startsWith('5')) return request.reply(486)
      request.reply(180)
      if (user.startsWith('4')) return
      await request.accept({ sdp: sdp(40_002) })
    })
    return new Phones(stack, serverPort, domain)
  }

  /** Registers a user, or removes the registration with 0 seconds. */
  async register(user: string, seconds: number): Promise<void> {
    const response = await this.#stack.request({
      method: 'REGISTER',
      uri: `sip:${this.#domain}`,
      from: `<sip:${user}@${this.#domain}>`,
      to: `<sip:${user}@${this.#domain}>`,
      contact: `<sip:${user}@127.0.0.1:${this.#port}>`,
      headers: [['Expires', seconds]],
      routes: [`<${this.#server};lr>`],
      credentials: { username: user, password: 'secret' },
    })
    if (response.status !== 200) throw new Error(`REGISTER of ${user} was answered ${response.status}`)
  }

  /**
   * Makes one call to its end. `live` is awaited while an answered call is up. Counting objects stops the process for
   * seconds, which the server takes for overload: a caller who is refused for that tries again, as it is told to.
   */
  async call(caller: string, callee: string, kind: CallKind, live: () => Promise<void>): Promise<void> {
    for (let tries = 1; !(await this.#callOnce(caller, callee, kind, live)); tries++) {
      if (tries === triesMax) throw new Error(`${tries} calls were refused for overload, one after the other`)
      await new Promise((resolve) => setTimeout(resolve, retryAfterMs))
    }
  }

  /** False when the server has refused the call because it has too much to do. */
  async #callOnce(caller: string, callee: string, kind: CallKind, live: () => Promise<void>): Promise<boolean> {
    const cancel = new AbortController()
    let call: Call | undefined
    try {
      call = await this.#stack.invite(`sip:${callee}@${this.#domain}`, {
        from: `<sip:${caller}@${this.#domain}>`,
        routes: [`<${this.#server};lr>`],
        credentials: { username: caller, password: 'secret' },
        sdp: sdp(40_000),
        signal: cancel.signal,
        onProvisional: () => {
          if (kind === 'cancelled') cancel.abort()
        },
      })
    } catch (error) {
      if (error instanceof CallFailedError && error.status === 503) return false
      if (kind === 'answered') throw error
      return true
    }
    if (kind !== 'answered') throw new Error(`a call that should be ${kind} was answered`)
    await live()
    await call.bye()
    return true
  }

  /** Transactions of the phones that have not ended. */
  get transactions(): number {
    return this.#stack.stats().transactions
  }

  close(): Promise<void> {
    return this.#stack.close()
  }

  get #port(): number {
    const [listener] = this.#stack.listeners
    if (listener === undefined) throw new Error('the phones have no socket')
    return listener.port
  }
}

/**
 * A demonstration phone: a user agent built on SipStack with a voice. Registers, calls, answers.
 */
import { type Call, type IncomingRequest, SipStack } from '@carillon/sip-transaction'
import type { ListenAddress } from '../config'
import { formatHost } from '../config'
import { RtpPhone } from './rtp-phone'

/** Who an agent is and where its server is. */
export interface AgentOptions {
  readonly extension: string
  readonly password: string
  readonly server: ListenAddress
  /** Distinguishes its RTP from others'. */
  readonly ssrc: number
}

/** A phone for demonstrations and tests. */
export class Agent {
  private constructor(
    readonly stack: SipStack,
    readonly voice: RtpPhone,
    private readonly options: AgentOptions,
  ) {}

  /** Opens an agent on free ports of loopback. */
  static async open(options: AgentOptions): Promise<Agent> {
    const { transport, host } = options.server
    const address = host.includes(':') ? '::1' : '127.0.0.1'
    const stack = await SipStack.create({
      listen: [`${transport}://${formatHost(address)}:0`],
      userAgent: 'Carillon demo',
    })
    return new Agent(stack, await RtpPhone.open(address, options.ssrc), options)
  }

  /** Its address at the server, or another user's. */
  address(extension: string = this.options.extension): string {
    const { transport, host, port } = this.options.server
    return `sip:${extension}@${formatHost(host)}:${port}${transport === 'udp' ? '' : `;transport=${transport}`}`
  }

  /** Registers for a time, or with 0 no longer; returns the final status. */
  async register(expiresSeconds = 300): Promise<number> {
    const { transport, host, port } = this.options.server
    const response = await this.stack.request({
      method: 'REGISTER',
      uri: `sip:${formatHost(host)}:${port}${transport === 'udp' ? '' : `;transport=${transport}`}`,
      from: `<${this.address()}>`,
      to: `<${this.address()}>`,
      contact: true,
      headers: [['Expires', expiresSeconds]],
      credentials: this.credentials,
    })
    return response.status
  }

  /** Calls an extension; resolves when it answers. */
  call(extension: string, signal?: AbortSignal): Promise<Call> {
    return this.stack.invite(this.address(extension), {
      from: `<${this.address()}>`,
      credentials: this.credentials,
      sdp: this.voice.sdp(),
      ...(signal && { signal }),
    })
  }

  /** Rings for a moment and answers each call from now on; what becomes of each is told to the listener. */
  answerCalls(ringMs: number, answered: (call: Call, request: IncomingRequest) => void): void {
    this.stack.method('INVITE', async (request) => {
      request.reply(180)
      await new Promise((resolve) => setTimeout(resolve, ringMs))
      if (!request.signal.aborted) answered(await request.accept({ sdp: this.voice.sdp() }), request)
    })
  }

  /** Closes its sockets. */
  async close(): Promise<void> {
    await this.stack.close({ graceMs: 0 })
    await this.voice.close()
  }

  /** What it answers a challenge with. */
  get credentials() {
    return { username: this.options.extension, password: this.options.password }
  }
}

/**
 * A real server in this process on free loopback ports, with its log kept, and phones that talk to it over real sockets.
 */
import { once } from 'node:events'
import {
  type Config,
  configFrom,
  createLogger,
  createServer,
  type ListenAddress,
  type Server,
  StaticUserStore,
  type User,
} from '@carillon/server'
import { Agent } from '../../packages/server/src/demo/agent'

/** The users of every harness. */
export const USERS = [
  { extension: '1001', password: 'correct horse 1001' },
  { extension: '1002', password: 'battery staple 1002' },
  { extension: '1003', password: 'paper clip 1003' },
]

/** A log line as an object. */
export type LogLine = Readonly<Record<string, unknown>>

/** A server under test. */
export class Harness {
  readonly lines: LogLine[] = []
  readonly #added = new EventTarget()
  readonly #agents: Agent[] = []
  readonly server: Server
  readonly config: Config
  text = ''

  private constructor(values: Readonly<Record<string, unknown>>, users: readonly User[]) {
    this.config = configFrom({
      sip: { listen: ['udp://127.0.0.1:0', 'tcp://127.0.0.1:0'] },
      media: { address: '127.0.0.1', ports: '31000-31999' },
      drainTimeoutMs: 0,
      ...values,
    })
    const write = (line: string) => {
      this.text += line
      this.lines.push(JSON.parse(line) as LogLine)
      this.#added.dispatchEvent(new Event('line'))
    }
    this.server = createServer(this.config, {
      users: new StaticUserStore(users),
      logger: createLogger('debug', { write }),
    })
  }

  /** Starts a server; `values` are settings in the form of the configuration file. */
  static async start(values: Readonly<Record<string, unknown>> = {}, users: readonly User[] = USERS): Promise<Harness> {
    const harness = new Harness(values, users)
    await harness.server.start()
    return harness
  }

  /** A registered phone of a server that is not the harness's. */
  static async agent(options: Parameters<typeof Agent.open>[0]): Promise<Agent> {
    const agent = await Agent.open(options)
    const status = await agent.register()
    if (status !== 200) throw new Error(`${options.extension} was answered ${status}`)
    return agent
  }

  /** The listener of a transport. */
  listener(transport = 'udp'): ListenAddress {
    return this.server.addresses.find((address) => address.transport === transport) as ListenAddress
  }

  /** A phone; registered when asked for. */
  async phone(
    extension: string,
    options: { transport?: string; password?: string; register?: boolean } = {},
  ): Promise<Agent> {
    const known = USERS.find((user) => user.extension === extension)
    const password = options.password ?? known?.password ?? 'nobody'
    const server = this.listener(options.transport)
    const agent = await Agent.open({ extension, password, server, ssrc: this.#agents.length + 1 })
    this.#agents.push(agent)
    if (options.register !== false) {
      const status = await agent.register()
      if (status !== 200) throw new Error(`${extension} was answered ${status}`)
    }
    return agent
  }

  /** Waits for the next log line of an event, those that came before included. */
  async logged(event: string, matches: (line: LogLine) => boolean = () => true): Promise<LogLine> {
    const signal = AbortSignal.timeout(5_000)
    for (;;) {
      const found = this.lines.find((line) => line.event === event && matches(line))
      if (found) return found
      await once(this.#added, 'line', { signal })
    }
  }

  /** Closes phones and server, and checks that no secret has reached the log. */
  async close(): Promise<void> {
    await Promise.all(this.#agents.map((agent) => agent.close()))
    await this.server.stop()
    for (const { password } of USERS) {
      if (this.text.includes(password)) throw new Error('a password has reached the log')
    }
    if (/nonce|Digest /.test(this.text)) throw new Error('part of a digest has reached the log')
  }
}

/** The audio port and direction of an SDP. */
export function audioOf(sdp: Uint8Array | undefined): { port: number; address: string; direction: string } {
  const text = Buffer.from(sdp ?? []).toString('latin1')
  return {
    port: Number(/^m=audio (\d+)/m.exec(text)?.[1]),
    address: /^c=IN IP4 (\S+)/m.exec(text)?.[1] ?? '',
    direction: /^a=(sendrecv|sendonly|recvonly|inactive)/m.exec(text)?.[1] ?? 'sendrecv',
  }
}

/** Text of an SDP body. */
export function sdpText(sdp: Uint8Array | undefined): string {
  return Buffer.from(sdp ?? []).toString('latin1')
}

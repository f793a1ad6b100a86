/**
 * Runs baresip (1.0 from Debian) without a screen and drives it over its ctrl_tcp module: netstrings that hold JSON,
 * commands one way, responses and events the other.
 */
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, freePortRange, loopback } from './network.ts'
import { Program } from './program.ts'
import { domain, type User } from './server.ts'

const templateDir = fileURLToPath(new URL('../baresip/', import.meta.url))
const rtpPorts = 40

/** An event as baresip tells it; `type` is REGISTER_OK, CALL_ESTABLISHED, CALL_CLOSED and so on. */
export interface BaresipEvent {
  readonly type: string
  readonly param?: string
}

/** What baresip counted in one call, from the table it prints when the call ends. */
export interface AudioCounts {
  readonly packetsSent: number
  readonly packetsReceived: number
  readonly errorsSent: number
  readonly errorsReceived: number
  /** From the receiver report of the other side; undefined when no RTCP arrived. */
  readonly lostSent: number | undefined
  readonly lostReceived: number | undefined
}

/** How to run baresip. */
export interface BaresipOptions {
  readonly workDir: string
  readonly user: User
  readonly serverPort: number
  readonly transport: 'udp' | 'tcp' | 'tls'
  /** For TLS: whom it trusts, and what it shows to those who call it; PEM. */
  readonly tls?: { readonly ca: string; readonly certificate: string }
  readonly toneHz: number
  /** `srtp-mand`: SRTP with keys in the SDP and no other way; plain RTP when absent. */
  readonly encryption?: 'srtp-mand'
  /** A second way to the server, side by side with the first (RFC 5626); over UDP. */
  readonly secondPort?: number
}

/** One running baresip with one account. */
export class Baresip {
  readonly program: Program
  readonly user: User
  readonly #events: BaresipEvent[] = []
  readonly #responses: string[] = []
  readonly #watchers = new Set<() => void>()
  #control: Socket | undefined
  #unread: Buffer = Buffer.alloc(0)

  private constructor(program: Program, user: User) {
    this.program = program
    this.user = user
  }

  /** Starts it and waits until it is registered. */
  static async start(options: BaresipOptions): Promise<Baresip> {
    const name = `baresip-${options.user.name}`
    const folder = join(options.workDir, name)
    const controlPort = await freePort()
    const rtpPortMin = freePortRange(rtpPorts)
    mkdirSync(folder, { recursive: true })
    const values: Record<string, string> = {
      NAME: options.user.name,
      SIP_PORT: String(await freePort()),
      CONTROL_PORT: String(controlPort),
      RTP_PORT_MIN: String(rtpPortMin),
      RTP_PORT_MAX: String(rtpPortMin + rtpPorts - 1),
      MODULE_PATH: modulePath(),
      TONE_HZ: String(options.toneHz),
      USER: options.user.name,
      PASSWORD: options.user.password,
      DOMAIN: domain,
      TRANSPORT: options.transport,
      OUTBOUND: outboundSettings(options),
      ENCRYPTION: options.encryption === undefined ? '' : `;mediaenc=${options.encryption}`,
      TLS: tlsSettings(folder, options),
    }
    for (const file of ['config', 'accounts']) fill(file, folder, values)
    const program = new Program({
      name,
      command: 'baresip',
      args: ['-4', '-n', loopback, '-f', folder],
      cwd: folder,
      env: { HOME: folder },
    })
    const baresip = new Baresip(program, options.user)
    await program.waitFor(/baresip is ready/, 10_000)
    await baresip.#connect(controlPort)
    await baresip.#registered(10_000)
    return baresip
  }

  /** Resolves with the first event of this type that has not been asked for yet. */
  event(type: string, timeoutMs: number): Promise<BaresipEvent> {
    return new Promise((resolve, reject) => {
      const settle = (action: () => void): void => {
        clearTimeout(timer)
        this.#watchers.delete(look)
        action()
      }
      const look = (): void => {
        const index = this.#events.findIndex((event) => event.type === type)
        const event = this.#events[index]
        if (event === undefined) return
        this.#events.splice(index, 1)
        settle(() => resolve(event))
      }
      const timer = setTimeout(() => {
        const seen = this.#events.map((event) => event.type).join(' ')
        settle(() => reject(new Error(`${this.program.name}: no ${type} within ${timeoutMs} ms; others: ${seen}`)))
      }, timeoutMs)
      this.#watchers.add(look)
      look()
    })
  }

  /** Sends a command of its menu, such as dial or hangup. */
  command(command: string, params = ''): void {
    const text = JSON.stringify({ command, params })
    this.#control?.write(`${Buffer.byteLength(text)}:${text},`)
  }

  /** The packet counts of the last ended call. */
  async audioCounts(): Promise<AudioCounts> {
    await this.program.waitFor(/packets:\s+\d+\s+\d+[\s\S]*errors:\s+\d+\s+\d+/, 5000)
    // The lines about RTCP follow the others at once, when there are any.
    await new Promise((resolve) => setTimeout(resolve, 100))
    const text = this.program.output
    const [packetsSent, packetsReceived] = row(text, 'packets')
    const [errorsSent, errorsReceived] = row(text, 'errors')
    const [lostSent, lostReceived] = row(text, 'lost')
    return {
      packetsSent: packetsSent ?? 0,
      packetsReceived: packetsReceived ?? 0,
      errorsSent: errorsSent ?? 0,
      errorsReceived: errorsReceived ?? 0,
      lostSent,
      lostReceived,
    }
  }

  async stop(): Promise<void> {
    this.command('quit')
    this.#control?.destroy()
    await this.program.stop()
  }

  /** It may have registered before anybody listened for its events, so it is asked. */
  async #registered(timeoutMs: number): Promise<void> {
    const until = performance.now() + timeoutMs
    while (performance.now() < until) {
      this.command('reginfo')
      await new Promise((resolve) => setTimeout(resolve, 200))
      if (this.#responses.some((text) => text.includes(`${this.user.name}@`) && text.includes('OK'))) return
    }
    throw new Error(`${this.program.name} did not register within ${timeoutMs} ms`)
  }

  #connect(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, loopback, resolve)
      socket.on('error', reject)
      socket.on('data', (chunk) => this.#read(chunk))
      this.#control = socket
    })
  }

  #read(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk])
    for (;;) {
      const colon = this.#unread.indexOf(':')
      if (colon < 0) break
      const end = colon + 1 + Number(this.#unread.toString('latin1', 0, colon))
      if (!(this.#unread.length > end)) break
      const value: unknown = JSON.parse(this.#unread.toString('utf8', colon + 1, end))
      this.#unread = this.#unread.subarray(end + 1)
      if (isEvent(value)) this.#events.push(value)
      else if (isResponse(value)) this.#responses.push(value.data)
    }
    for (const watcher of [...this.#watchers]) watcher()
  }
}

function isEvent(value: unknown): value is BaresipEvent {
  return typeof value === 'object' && value !== null && 'event' in value && 'type' in value
}

function isResponse(value: unknown): value is { data: string } {
  return typeof value === 'object' && value !== null && 'response' in value && 'data' in value
}

function row(text: string, name: string): number[] {
  const match = [...text.matchAll(new RegExp(`^${name}:\\s+(\\d+)\\s+(\\d+)`, 'gm'))].at(-1)
  return match === undefined ? [] : [Number(match[1]), Number(match[2])]
}

function fill(file: string, folder: string, values: Readonly<Record<string, string>>): void {
  const template = readFileSync(join(templateDir, `${file}.template`), 'utf8')
  writeFileSync(
    join(folder, file),
    template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => values[name] ?? ''),
  )
}

function outboundSettings({ serverPort, secondPort, transport }: BaresipOptions): string {
  const first = `outbound="sip:${loopback}:${serverPort};transport=${transport}"`
  if (secondPort === undefined) return first
  return `${first};outbound2="sip:${loopback}:${secondPort};transport=udp";sipnat=outbound`
}

function tlsSettings(folder: string, { tls }: BaresipOptions): string {
  if (tls === undefined) return ''
  const [ca, certificate] = [join(folder, 'ca.pem'), join(folder, 'certificate.pem')]
  writeFileSync(ca, tls.ca)
  writeFileSync(certificate, tls.certificate)
  return `sip_cafile\t\t${ca}\nsip_certificate\t\t${certificate}`
}

function modulePath(): string {
  const [module] = globSync('/usr/lib/{,*/}baresip/modules/g711.so')
  if (module === undefined) throw new Error('the modules of baresip are not where Debian puts them')
  return dirname(module)
}

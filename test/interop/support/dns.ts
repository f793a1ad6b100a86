/**
 * A real name server on a free loopback port: dnsmasq of Debian, with the records of a case and nothing else.
 */
import { freePort, loopback } from './network.ts'
import { Program } from './program.ts'

/** A record of the zone `carillon.test`; names are whole, without the dot at the end. */
export type DnsRecord =
  | { readonly type: 'A'; readonly name: string; readonly address: string }
  | {
      readonly type: 'SRV'
      readonly name: string
      readonly priority: number
      readonly weight: number
      readonly port: number
      readonly target: string
    }
  | {
      readonly type: 'NAPTR'
      readonly name: string
      readonly order: number
      readonly preference: number
      readonly service: string
      readonly replacement: string
    }

/** A running dnsmasq. */
export class NameServer {
  readonly #program: Program
  /** As the `dns.servers` option of a stack wants it. */
  readonly address: string

  private constructor(program: Program, address: string) {
    this.#program = program
    this.address = address
  }

  /** Starts one and waits until it answers. */
  static async start(workDir: string, zone: string, records: readonly DnsRecord[]): Promise<NameServer> {
    const port = await freePort()
    const program = new Program({
      name: 'dnsmasq',
      command: 'dnsmasq',
      args: [
        '--no-daemon',
        '--conf-file=/dev/null',
        '--pid-file=',
        '--no-resolv',
        '--no-hosts',
        '--log-queries',
        `--port=${port}`,
        `--listen-address=${loopback}`,
        '--bind-interfaces',
        `--local=/${zone}/`,
        '--local-ttl=60',
        ...records.map(optionOf),
      ],
      cwd: workDir,
    })
    await program.waitFor(/started, version/, 10_000)
    return new NameServer(program, `${loopback}:${port}`)
  }

  /** How many questions of a type and name it has been asked. */
  questions(type: string, name: string): number {
    return this.#program.output.split(`query[${type}] ${name} `).length - 1
  }

  /** What it has written, for a failure report. */
  tail(): string {
    return this.#program.tail(20)
  }

  stop(): Promise<void> {
    return this.#program.stop()
  }
}

function optionOf(record: DnsRecord): string {
  if (record.type === 'A') return `--host-record=${record.name},${record.address}`
  if (record.type === 'SRV') {
    return `--srv-host=${record.name},${record.target},${record.port},${record.priority},${record.weight}`
  }
  const { name, order, preference, service, replacement } = record
  return `--naptr-record=${name},${order},${preference},s,${service},,${replacement}`
}

/**
 * The DnsResolver port over `node:dns`: NAPTR, SRV, A and AAAA from name servers (RFC 1035, RFC 2782, RFC 3403, RFC 3596),
 * and the names of this machine from its hosts file. Node tells the time to live of addresses only.
 */
import { lookup, Resolver } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { env, platform } from 'node:process'
import { SipUsageError } from '../../errors'
import type { DnsAnswer, DnsResolver, NaptrRecord, SrvRecord } from '../../ports'
import type { DnsOptions } from '../options'

/** Choices of {@link createNodeDnsResolver}. */
export interface NodeDnsOptions {
  /** Addresses of the name servers, with a port where it is not 53: `192.0.2.53`, `[2001:db8::53]:5353`. Default: the system's. */
  readonly servers?: readonly string[]
  /** How long one try at one server may take. Default 1000. */
  readonly timeoutMs?: number
  /** Tries per server. Default 2. */
  readonly tries?: number
  /** Path of the hosts file; false for none. Default: the system's. */
  readonly hostsFile?: string | false
}

/** How long the hosts file is taken to be as it was read. */
const hostsFileKeptMs = 5_000
/** A hosts file longer than that is a block list of somebody; its end is not read. */
const hostsLinesMax = 10_000
/** How long an entry of the hosts file may be remembered: it is edited by hand. */
const hostsTtlSeconds = 5

const absentCodes: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA', 'EAI_NODATA', 'EBADNAME'])

/**
 * A resolver of its own; its `close` ends the questions that are under way.
 * @throws SipUsageError DNS_SERVER_INVALID
 */
export function createNodeDnsResolver(options: NodeDnsOptions = {}): DnsResolver {
  let made: Resolver | undefined
  const servers = (): Resolver => {
    if (made !== undefined) return made
    made = new Resolver({ timeout: options.timeoutMs ?? 1000, tries: options.tries ?? 2 })
    if (options.servers !== undefined) setServers(made, options.servers)
    return made
  }
  // A server that is no address is the caller's mistake, to be told at once; without servers most stacks need none.
  if (options.servers !== undefined) servers()
  const hosts = options.hostsFile === false ? undefined : new HostsFile(options.hostsFile ?? systemHostsFile())
  const addresses = async (host: string, family: 4 | 6, signal?: AbortSignal): Promise<DnsAnswer<string>> => {
    const local = loopbackOf(host, family) ?? (await hosts?.find(host, family))
    if (local !== undefined) return answerOf(local, hostsTtlSeconds)
    const answer = await asked<string>(signal, async () => {
      const found =
        family === 4 ? await servers().resolve4(host, { ttl: true }) : await servers().resolve6(host, { ttl: true })
      const ttl = found.reduce((least, entry) => Math.min(least, entry.ttl), Number.POSITIVE_INFINITY)
      return answerOf(
        found.map((entry) => entry.address),
        found.length === 0 ? undefined : ttl,
      )
    })
    // What the system knows by other means than DNS (multicast DNS, search domains); not when servers were named.
    if (answer.kind === 'found' || options.servers !== undefined || signal?.aborted) return answer
    const other = await asked<string>(signal, async () =>
      answerOf((await lookup(host, { family, all: true })).map((entry) => entry.address)),
    )
    return other.kind === 'found' ? other : answer
  }
  return {
    naptr: (name, signal) => asked(signal, async () => answerOf<NaptrRecord>(await servers().resolveNaptr(name))),
    srv: (name, signal) =>
      asked(signal, async () =>
        answerOf<SrvRecord>(
          (await servers().resolveSrv(name)).map(({ priority, weight, port, name: target }) => ({
            priority,
            weight,
            port,
            target,
          })),
        ),
      ),
    a: (host, signal) => addresses(host, 4, signal),
    aaaa: (host, signal) => addresses(host, 6, signal),
    close: () => made?.cancel(),
  }
}

/** The resolver of a stack: Node's, closed with the stack, or the user's, which is the user's to close. */
export function resolverFor(options: DnsOptions = {}): DnsResolver {
  const { resolver } = options
  if (resolver === undefined) return createNodeDnsResolver(options)
  return {
    naptr: (name, signal) => resolver.naptr(name, signal),
    srv: (name, signal) => resolver.srv(name, signal),
    a: (name, signal) => resolver.a(name, signal),
    aaaa: (name, signal) => resolver.aaaa(name, signal),
  }
}

/** Carries a question out, and says in the terms of the port what became of it. */
async function asked<Entry>(
  signal: AbortSignal | undefined,
  ask: () => Promise<DnsAnswer<Entry>>,
): Promise<DnsAnswer<Entry>> {
  if (signal?.aborted) return { kind: 'timeout' }
  let giveUp = (): void => {}
  const aborted = new Promise<DnsAnswer<Entry>>((resolve) => {
    giveUp = () => resolve({ kind: 'timeout' })
    signal?.addEventListener('abort', giveUp, { once: true })
  })
  try {
    return await Promise.race([ask(), aborted])
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (absentCodes.has(code)) return { kind: 'not-found' }
    return code === 'ETIMEOUT' ? { kind: 'timeout' } : { kind: 'failed' }
  } finally {
    signal?.removeEventListener('abort', giveUp)
  }
}

function setServers(resolver: Resolver, servers: readonly string[]): void {
  try {
    resolver.setServers([...servers])
  } catch {
    throw new SipUsageError('DNS_SERVER_INVALID', servers.join(', '))
  }
}

function answerOf<Entry>(records: readonly Entry[], ttlSeconds?: number): DnsAnswer<Entry> {
  if (records.length === 0) return { kind: 'not-found' }
  return ttlSeconds === undefined ? { kind: 'found', records } : { kind: 'found', records, ttlSeconds }
}

/** RFC 6761 §6.3: localhost and what is below it is this machine, and no server is asked. */
function loopbackOf(host: string, family: 4 | 6): readonly string[] | undefined {
  if (host !== 'localhost' && !host.endsWith('.localhost')) return undefined
  return [family === 4 ? '127.0.0.1' : '::1']
}

function systemHostsFile(): string {
  return platform === 'win32' ? `${env.SystemRoot ?? 'C:\\Windows'}\\System32\\drivers\\etc\\hosts` : '/etc/hosts'
}

/** The hosts file of a machine, read again now and then. It comes before the DNS, as everywhere on that machine. */
class HostsFile {
  private table: Promise<ReadonlyMap<string, readonly string[]>> | undefined
  private readAtMs = 0

  constructor(private readonly path: string) {}

  /** The addresses of a name; undefined when the file does not know it, empty when it has none of the family. */
  async find(host: string, family: 4 | 6): Promise<readonly string[] | undefined> {
    const nowMs = performance.now()
    if (this.table === undefined || nowMs - this.readAtMs > hostsFileKeptMs) {
      this.readAtMs = nowMs
      this.table = readFile(this.path, 'utf8').then(parseHosts, () => new Map())
    }
    return (await this.table).get(host)?.filter((address) => isIP(address) === family)
  }
}

function parseHosts(text: string): ReadonlyMap<string, readonly string[]> {
  const table = new Map<string, string[]>()
  for (const line of text.split('\n', hostsLinesMax)) {
    const [address = '', ...names] = (line.split('#', 1)[0] ?? '').trim().split(/\s+/)
    if (isIP(address) === 0) continue
    for (const name of names) {
      const key = name.toLowerCase()
      const known = table.get(key)
      if (known === undefined) table.set(key, [address])
      else if (!known.includes(address)) known.push(address)
    }
  }
  return table
}

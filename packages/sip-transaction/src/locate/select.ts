/**
 * Choosing among records: NAPTR by order, preference and service (RFC 3403 §4.1, RFC 3263 §4.1, RFC 7118 §10.5), SRV by
 * priority and weight (RFC 2782). Pure; chance comes in as a function.
 */
import type { NaptrRecord, SrvRecord } from '../ports'
import { isSecureTransport, type ServiceGoal } from './plan'

const transportByService: Readonly<Record<string, string>> = {
  'SIP+D2U': 'UDP',
  'SIP+D2T': 'TCP',
  'SIPS+D2T': 'TLS',
  'SIP+D2W': 'WS',
  'SIPS+D2W': 'WSS',
}

/** Letters, digits, hyphens, underscores and dots, as RFC 1035 and RFC 2782 have them, within the length of a name. */
const domainName = /^(?=.{1,253}$)[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i

/** The name in lower case without the dot at its end; undefined when it is none, `.` among them. */
export function usableName(text: string): string | undefined {
  const bare = text.endsWith('.') ? text.slice(0, -1) : text
  return domainName.test(bare) ? bare.toLowerCase() : undefined
}

/**
 * The services that NAPTR records name, the preferred first: of the lowest order with any that the stack can use, for
 * what comes after it must not be looked at (RFC 3403 §4.1). Only flag `s` and an empty expression mean something here.
 */
export function selectServices(
  records: readonly NaptrRecord[],
  transports: readonly string[],
  isSecure: boolean,
): readonly ServiceGoal[] {
  const usable: { readonly record: NaptrRecord; readonly goal: ServiceGoal }[] = []
  for (const record of records) {
    if (record.flags.toLowerCase() !== 's' || record.regexp !== '') continue
    const transport = transportByService[record.service.toUpperCase()]
    if (transport === undefined || !transports.includes(transport)) continue
    if (isSecure && !isSecureTransport(transport)) continue
    const name = usableName(record.replacement)
    if (name !== undefined) usable.push({ record, goal: { name, transport } })
  }
  const lowest = usable.reduce((order, { record }) => Math.min(order, record.order), Number.POSITIVE_INFINITY)
  return usable
    .filter(({ record }) => record.order === lowest)
    .sort((one, other) => one.record.preference - other.record.preference)
    .map(({ goal }) => goal)
}

/** True when the records say that the service is decidedly not there: one record, whose target is the root. */
export function isServiceAbsent(records: readonly SrvRecord[]): boolean {
  const [only] = records
  return records.length === 1 && (only?.target === '.' || only?.target === '')
}

/**
 * The first `atMost` servers in the order to be tried: by priority, and within one at random by weight. Records that
 * name no host or no port are left out.
 * @param fraction a number in [0, 1), drawn for each choice among several
 */
export function orderServers(
  records: readonly SrvRecord[],
  atMost: number,
  fraction: () => number,
): readonly { readonly host: string; readonly port: number }[] {
  const usable: { readonly host: string; readonly record: SrvRecord }[] = []
  for (const record of records) {
    const host = usableName(record.target) ?? (record.target.includes(':') ? record.target : undefined)
    if (host !== undefined && record.port > 0 && record.port <= 65_535) usable.push({ host, record })
  }
  // Those of weight 0 first: then they are chosen rarely, as they should be, but not never.
  usable.sort((one, other) => one.record.priority - other.record.priority || one.record.weight - other.record.weight)
  const ordered: { host: string; port: number }[] = []
  let start = 0
  while (start < usable.length && ordered.length < atMost) {
    const { priority } = usable[start]!.record
    let end = start
    while (end < usable.length && usable[end]!.record.priority === priority) end += 1
    const group = usable.slice(start, end)
    while (group.length > 0 && ordered.length < atMost) {
      const [{ host, record }] = group.splice(chooseByWeight(group, fraction), 1) as [(typeof group)[number]]
      ordered.push({ host, port: record.port })
    }
    start = end
  }
  return ordered
}

/** RFC 2782: the first whose running sum of weights reaches a number drawn from 0 to the sum of all. */
function chooseByWeight(group: readonly { readonly record: SrvRecord }[], fraction: () => number): number {
  if (group.length === 1) return 0
  let sum = 0
  for (const { record } of group) sum += record.weight
  // All weights 0 means no preference, and the first of the answer would get everything.
  if (sum === 0) return Math.floor(fraction() * group.length)
  const drawn = Math.floor(fraction() * (sum + 1))
  let running = 0
  for (let index = 0; index < group.length; index += 1) {
    running += group[index]!.record.weight
    if (running >= drawn) return index
  }
  return group.length - 1
}

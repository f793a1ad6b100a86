/**
 * What is printed once the server listens: exactly what to type into a softphone.
 */
import { type Config, formatHost, type ListenAddress } from '../config'
import type { StoredUser } from '../store'
import { VERSION } from '../version'

/** What the banner speaks of. */
export interface BannerFacts {
  readonly config: Config
  readonly domain: string
  readonly isDomainExplicit: boolean
  /** The host that phones are told to send to. */
  readonly serverAddress: string
  /** The listeners as they were really opened. */
  readonly listeners: readonly ListenAddress[]
  readonly users: readonly StoredUser[]
  /** The file that the users are in; absent when the configuration gives them. */
  readonly usersFile: string | undefined
  readonly isFirstStart: boolean
}

/** How many phones get a column in the banner. */
const COLUMNS_MAX = 4

/** The banner, ending with a line break. Passwords are in it only if the server made them itself. */
export function bannerText(facts: BannerFacts): string {
  const listening = facts.listeners.map(({ transport, host, port }) => `${transport}://${formatHost(host)}:${port}`)
  const ready = `Carillon ${VERSION} is ready, listening on ${listening.join(', ')}.`
  if (facts.config.banner === 'short') return `${ready}\n`
  const lines = [ready, '', ...phoneTable(facts), '', ...advice(facts), '']
  return `${lines.join('\n')}\n`
}

function phoneTable(facts: BannerFacts): string[] {
  const shown = facts.users.slice(0, COLUMNS_MAX)
  if (shown.length === 0) return ['There are no users yet, so no phone can register.']
  const server = serverToType(facts)
  const dial = shown.map((user, index) => shown[(index + 1) % shown.length]?.extension ?? user.extension)
  const rows: [string, readonly string[]][] = [
    [
      facts.isDomainExplicit && facts.domain !== server ? 'Domain' : 'Server / domain',
      shown.map(() => domainToType(facts, server)),
    ],
    ['Username', shown.map((user) => user.extension)],
    ['Password', shown.map((user) => (user.isGenerated ? user.password : '(the one you set)'))],
    ['Transport', shown.map(() => transports(facts.listeners))],
    ['Number to dial', dial],
  ]
  if (facts.isDomainExplicit && facts.domain !== server) rows.splice(1, 0, ['Outbound proxy', shown.map(() => server)])
  const width = Math.max(...rows.flatMap(([, cells]) => cells.map((cell) => cell.length))) + 3
  const table = rows.map(([name, cells]) =>
    `  ${name.padEnd(18)}${cells.map((cell) => cell.padEnd(width)).join('')}`.trimEnd(),
  )
  const more = facts.users.length - shown.length
  const title = `Type this into a softphone, one column for each phone${more > 0 ? ` (${more} more extensions are not shown)` : ''}:`
  return [title, '', ...table]
}

function advice(facts: BannerFacts): string[] {
  const lines: string[] = []
  if (facts.usersFile === undefined) lines.push('The users are those of the configuration.')
  else {
    const made = facts.isFirstStart
      ? 'This was the first start: the passwords above are new, and kept'
      : 'Users and passwords are kept'
    lines.push(
      `${made} in ${facts.usersFile}.`,
      'To change a password or add an extension, edit that file and start again.',
    )
  }
  lines.push(
    'To listen elsewhere, or to tell phones another address: --sip-listen, --advertised-address, or the variables',
    'CARILLON_SIP_LISTEN and CARILLON_ADVERTISED_ADDRESS. `carillon check-config` shows every setting. Ctrl+C stops.',
  )
  return lines
}

function domainToType(facts: BannerFacts, server: string): string {
  return facts.isDomainExplicit ? facts.domain : server
}

function serverToType(facts: BannerFacts): string {
  const first = facts.listeners[0] as ListenAddress
  return first.port === 5060 ? facts.serverAddress : `${formatHost(facts.serverAddress)}:${first.port}`
}

function transports(listeners: readonly ListenAddress[]): string {
  const port = listeners[0]?.port
  const names = listeners.map(
    (item) => item.transport.toUpperCase() + (item.port === port ? '' : ` (port ${item.port})`),
  )
  return [...new Set(names)].join(' or ')
}

/** Messages waiting: the package `message-summary` of RFC 3842, its bodies in simple-message-summary (§5). */
import type { EventPackage } from '../event-package'

/** What waits in a mailbox. */
export interface MessageSummary {
  readonly waiting: boolean
  /** The mailbox. */
  readonly account?: string | undefined
  /** By class: `voice-message`, `fax-message`, `pager-message`, `multimedia-message`, `text-message`, `none`. */
  readonly counts: Readonly<Record<string, MessageCount>>
}

/** How many messages of one class. */
export interface MessageCount {
  readonly new: number
  readonly old: number
  readonly newUrgent?: number | undefined
  readonly oldUrgent?: number | undefined
}

/** Lines that are looked at; what comes after them tells of single messages. */
const linesMax = 64
/** Characters that are looked at. */
const lengthMax = 8_192

const countLine = /^(\d{1,9})\s*\/\s*(\d{1,9})(?:\s*\(\s*(\d{1,9})\s*\/\s*(\d{1,9})\s*\))?$/

/** The package `message-summary`. */
export const messageSummaryPackage: EventPackage<MessageSummary> = {
  name: 'message-summary',
  contentType: 'application/simple-message-summary',
  expiresSeconds: 3600,
  forks: 'one',
  read: (body) => {
    const text = Buffer.from(body.buffer, body.byteOffset, Math.min(body.length, lengthMax)).toString('utf8')
    let waiting: boolean | undefined
    let account: string | undefined
    const counts: [string, MessageCount][] = []
    for (const line of text.split('\n', linesMax)) {
      const colon = line.indexOf(':')
      if (colon < 0) {
        // An empty line ends the summary; headers of single messages follow.
        if (line.trim() === '') break
        return { ok: false, reason: 'a line without colon' }
      }
      const name = line.slice(0, colon).trim().toLowerCase()
      const value = line.slice(colon + 1).trim()
      if (name === 'messages-waiting') waiting = value.toLowerCase() === 'yes'
      else if (name === 'message-account') account = value
      else {
        const match = countLine.exec(value)
        if (match === null) continue
        const urgent = match[3] === undefined ? {} : { newUrgent: Number(match[3]), oldUrgent: Number(match[4]) }
        counts.push([name, { new: Number(match[1]), old: Number(match[2]), ...urgent }])
      }
    }
    if (waiting === undefined) return { ok: false, reason: 'no Messages-Waiting' }
    return { ok: true, state: { waiting, account, counts: Object.fromEntries(counts) } }
  },
  write: ({ waiting, account, counts }) => {
    const lines = [`Messages-Waiting: ${waiting ? 'yes' : 'no'}`]
    if (account !== undefined) lines.push(`Message-Account: ${account}`)
    for (const [name, count] of Object.entries(counts)) {
      const urgent = count.newUrgent === undefined ? '' : ` (${count.newUrgent}/${count.oldUrgent ?? 0})`
      lines.push(`${name.replace(/(^|-)[a-z]/g, (part) => part.toUpperCase())}: ${count.new}/${count.old}${urgent}`)
    }
    return `${lines.map((line) => line.replace(/[\r\n]+/g, ' ')).join('\r\n')}\r\n`
  },
}

/**
 * What a parsed message keeps in memory while it is held, as a transaction holds it: heap and buffers, counted over many
 * messages that differ in their Call-ID.
 */
import { carrierInvite } from '../fixtures/carrier-invite.ts'
import { type Fixture, invite, ok, register } from '../fixtures/messages.ts'
import { keptBytes } from '../support/allocation.ts'
import { everyHeader } from '../support/every-header.ts'
import { parsed, readProxyFields } from '../support/own-parsers.ts'
import { peerMessages } from '../support/peer-parsers.ts'
import { figure, type Table, type Verdict } from '../support/report.ts'

const messagesKept = 3000
/** sip.js takes a millisecond for one. */
const peerMessagesKept = 600
const idLength = 8

/** Counts for all messages; ours must stay within 1.5 times the message and 1 KB. */
export function measureKept(): { table: Table; verdicts: readonly Verdict[] } {
  const rows: string[][] = []
  const verdicts: Verdict[] = []
  for (const fixture of [invite, ok, register, carrierInvite]) {
    const limit = 1.5 * fixture.bytes.length + 1024
    const row = (name: string, does: string, bytes: number): void => {
      rows.push([fixture.name, name, does, figure(bytes), `${figure(bytes / fixture.bytes.length)} ×`])
    }
    const every = everyHeader(parsed(fixture.bytes))
    const routed = kept(fixture, (message) => readProxyFields(message))
    row('carillon', 'what a proxy needs decoded', routed)
    row('carillon', 'every header decoded', kept(fixture, every.read))
    for (const peer of peerMessages) {
      row(
        peer.name,
        peer.does,
        keptBytes(peerMessagesKept, (index) => peer.make(variant(fixture, index).toString('latin1'))),
      )
    }
    verdicts.push({
      name: `${fixture.name}: a parsed message keeps at most 1.5 times its length and 1 KB`,
      isMet: routed <= limit,
      detail: `${figure(routed)} bytes, ${figure(limit)} allowed`,
    })
  }
  const table: Table = {
    title: 'bytes kept for each message that is held',
    columns: [
      { title: 'message' },
      { title: 'library' },
      { title: 'what was done' },
      { title: 'bytes', isNumber: true },
      { title: 'of its length', isNumber: true },
    ],
    rows,
  }
  return { table, verdicts }
}

function kept(fixture: Fixture, read: (message: ReturnType<typeof parsed>) => unknown): number {
  return keptBytes(messagesKept, (index) => {
    const message = parsed(variant(fixture, index))
    read(message)
    return message
  })
}

/** The message with a Call-ID of its own, of the same length. */
function variant(fixture: Fixture, index: number): Buffer {
  const bytes = Buffer.from(fixture.bytes)
  bytes.write(String(index).padStart(idLength, '0'), fixture.text.indexOf('Call-ID: ') + 9, 'latin1')
  return bytes
}

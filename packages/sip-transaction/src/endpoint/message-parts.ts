/** Small readings that a stack makes of what it sends, receives and is told. Internal. */
import { SipUsageError } from '../errors'
import type { Destination, FlowAddress } from '../ports'
import type { Advertised, ListenerEntry } from './wire/egress'

/** Where a message leaves from: of a connection that is still to be opened nobody knows yet. */
export function localEnd(destination: Destination, entry: ListenerEntry | undefined): { readonly local?: FlowAddress } {
  if (destination.kind === 'flow') return { local: destination.flow.local }
  return entry === undefined || entry.transport.isReliable ? {} : { local: entry.transport.local }
}

/** The first line of a message, at most what a terminal shows. */
export function startLine(bytes: Uint8Array): string {
  const end = bytes.subarray(0, 512).indexOf(13)
  return Buffer.from(bytes.buffer, bytes.byteOffset, end < 0 ? Math.min(bytes.length, 512) : end).toString('latin1')
}

/**
 * Reads an `advertise` option.
 * @throws SipUsageError ADVERTISE_INVALID
 */
export function parseAdvertised(text: string | undefined): Advertised | undefined {
  if (text === undefined) return undefined
  const match = /^(?:\[([0-9a-f:.]+)\]|([0-9a-z.-]+)|([0-9a-f:]+:[0-9a-f:.]*))(?::(\d{1,5}))?$/i.exec(text.trim())
  const host = match?.[1] ?? match?.[2] ?? match?.[3]
  const port = match?.[4] === undefined ? undefined : Number(match[4])
  if (host === undefined || (port !== undefined && (port < 1 || port > 65_535)))
    throw new SipUsageError('ADVERTISE_INVALID', text)
  return { host, port }
}

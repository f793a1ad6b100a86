/**
 * Answers whose connection is gone, to the servers that the DNS names for the Via of their request: RFC 3263 §5,
 * RFC 3261 §18.2.2. Off unless the user wants it, for it lets a sender choose who gets the answer.
 */
import { parseMessage, type Via } from '@carillon/sip-parser'
import type { Candidate } from '../../locate/plan'
import type { Destination } from '../../ports'
import type { Core } from '../core'

/** Where a response goes when it could not be sent. */
export class SenderSearch {
  constructor(private readonly core: Core) {}

  /**
   * Tries the servers of the sender in turn; `failed` is called when none of them takes the answer.
   * @returns false when the bytes are no response, and nothing is done
   */
  take(bytes: Uint8Array, destination: Destination, failed: (reason: string) => void): boolean {
    const via = viaOfResponse(bytes)
    if (via === undefined) return false
    const { address } = destination.kind === 'flow' ? { address: destination.flow.remote } : destination
    this.core.submit(() =>
      this.core.locator.locateSender(via, (located) => {
        const others =
          typeof located === 'string'
            ? []
            : located.filter(
                (other) => other.address.address !== address.address || other.address.port !== address.port,
              )
        this.tryNext(bytes, others, 0, failed)
      }),
    )
    return true
  }

  private tryNext(
    bytes: Uint8Array,
    candidates: readonly Candidate[],
    index: number,
    failed: (reason: string) => void,
  ): void {
    const candidate = candidates[index]
    if (candidate === undefined) {
      failed('no server of the sender takes the answer')
      return
    }
    const entry = this.core.egress.entryFor(candidate.address)
    if (entry === undefined) this.tryNext(bytes, candidates, index + 1, failed)
    else {
      entry.transport.send(bytes, candidate, () =>
        this.core.submit(() => this.tryNext(bytes, candidates, index + 1, failed)),
      )
    }
  }
}

function viaOfResponse(bytes: Uint8Array): Via | undefined {
  const parsed = parseMessage(bytes)
  if (!parsed.ok || parsed.message.kind !== 'response') return undefined
  const via = parsed.message.decode('via')
  return via.ok ? via.value : undefined
}

/**
 * The marks by which a proxy knows its own Record-Route and Path URIs again, and what it needs to remember in them:
 * RFC 3261 §16.6 step 4 and §16.12.1.1, RFC 5626 §5 (flow tokens), RFC 3327. Signed: whoever could invent one could have
 * a proxy forward whatever he likes, to wherever he likes. A mark is good for one dialog only.
 */
import { hash } from 'node:crypto'
import type { SipUri, Uri } from '@carillon/sip-parser'

/** Characters of a signature: 96 bits. */
const signatureLength = 16
/** Nobody needs longer ones; what is longer is not even hashed. */
const markLengthMax = 64

/** The parameter of a Record-Route URI that holds its mark. */
export const dialogMarkParam = 'rr'
/** The parameter of a Path URI that holds its mark. */
export const pathMarkParam = 'rp'

/** A flow that one side of a dialog is reached by. */
export interface MarkedFlow {
  readonly flowId: number
  /** True when there is no other way: without the flow the request gets 430. */
  readonly isOnlyWay: boolean
}

/** What the mark of a dialog says. */
export interface DialogMark {
  /** The flow of the side that the request goes to. */
  readonly flow: MarkedFlow | undefined
}

/** Makes and reads marks. */
export class RouteMarks {
  /** @param secret whoever knows it can make marks; members of a cluster share it */
  constructor(private readonly secret: string) {}

  /**
   * The mark of a dialog, as the value of its parameter.
   * @param caller how the side that sent the first request is reached, when not by its Contact
   */
  dialog(callId: string, callerTag: string, caller: MarkedFlow | undefined, callee: MarkedFlow | undefined): string {
    const flows = caller === undefined && callee === undefined ? '' : `${flowText(caller)}!${flowText(callee)}`
    return `${flows}.${this.sign(`d ${flows} ${callerTag} ${callId}`)}`
  }

  /** Reads the mark of a request inside a dialog; undefined when it is not ours, or of another dialog. */
  readDialog(mark: string, callId: string, fromTag: string, toTag: string): DialogMark | undefined {
    const parts = split(mark)
    if (parts === undefined) return undefined
    const [flows, signature] = parts
    const isFromCaller = this.sign(`d ${flows} ${fromTag} ${callId}`) === signature
    if (!isFromCaller && this.sign(`d ${flows} ${toTag} ${callId}`) !== signature) return undefined
    if (flows === '') return noFlows
    const bang = flows.indexOf('!')
    return { flow: readFlow(isFromCaller ? flows.slice(bang + 1) : flows.slice(0, bang)) }
  }

  /** The mark of a Path: requests with it go to that flow (RFC 5626 §5.2). */
  path(flowId: number): string {
    const flow = flowId.toString(36)
    return `${flow}.${this.sign(`p ${flow}`)}`
  }

  /** The flow of a Path; undefined when the mark is not ours. */
  readPath(mark: string): number | undefined {
    const parts = split(mark)
    if (parts === undefined || this.sign(`p ${parts[0]}`) !== parts[1]) return undefined
    return readFlow(parts[0])?.flowId
  }

  /** The secret on both sides of the text, and a part of the digest only: neither can be extended. */
  private sign(text: string): string {
    return hash('sha256', `${this.secret}\n${text}\n${this.secret}`, 'base64url').slice(0, signatureLength)
  }
}

/** The mark that a URI has, if it has one; whose it is, reading it shows. */
export function markOf(uri: Uri, param: string): string | undefined {
  const { params } = uri as Partial<SipUri>
  const mark = params?.get(param)
  return mark === null ? undefined : mark
}

const noFlows: DialogMark = { flow: undefined }

function flowText(flow: MarkedFlow | undefined): string {
  return flow === undefined ? '' : `${flow.flowId.toString(36)}${flow.isOnlyWay ? '~' : ''}`
}

function readFlow(text: string): MarkedFlow | undefined {
  if (text === '') return undefined
  const isOnlyWay = text.endsWith('~')
  const flowId = Number.parseInt(text, 36)
  return Number.isSafeInteger(flowId) ? { flowId, isOnlyWay } : undefined
}

function split(mark: string): readonly [data: string, signature: string] | undefined {
  const dot = mark.indexOf('.')
  if (dot < 0 || mark.length > markLengthMax || mark.length - dot - 1 !== signatureLength) return undefined
  return [mark.slice(0, dot), mark.slice(dot + 1)]
}

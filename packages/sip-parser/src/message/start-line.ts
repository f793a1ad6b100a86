/**
 * Start lines off the fast path: why a line is not a well-formed request line or status line, and what it becomes when
 * the deviation is tolerated (RFC 3261 §7.1, §7.2; RFC 4475 §3.1.2.7 to §3.1.2.11, §3.1.2.16, §3.1.2.19).
 */
import type { ProblemCode } from '../errors'
import { isToken, trimSpacesEnd } from '../grammar/chars'
import type { Leniency } from './leniency'

/** The verdict on a start line that the fast path refused. */
export interface StartLineVerdict {
  readonly kind: 'request' | 'response'
  /** Undefined when the line is acceptable after all, in the form of `rewritten`. */
  readonly code?: ProblemCode
  /** Offset of the problem in the line. */
  readonly at: number
  /** The line in strict form, when switches allow it. */
  readonly rewritten?: string
  /** The method, when there is one: an answer may still be possible. */
  readonly method?: string
}

/** Judges a start line (wire text without its line end). */
export function judgeStartLine(line: string, leniency: Leniency): StartLineVerdict {
  if (/^SIP\//i.test(line)) return judgeStatusLine(line, leniency)
  return judgeRequestLine(line, leniency)
}

function judgeStatusLine(line: string, leniency: Leniency): StartLineVerdict {
  const kind = 'response'
  const version = /^SIP\/[0-9]+\.[0-9]+/i.exec(line)?.[0]
  if (version === undefined) return { kind, code: 'START_LINE_INVALID', at: 0 }
  if (version.slice(4) !== '2.0') return { kind, code: 'VERSION_UNSUPPORTED', at: 4 }
  const match = /^SIP\/2\.0( +)([0-9]+)(?:( ?)(.*))$/is.exec(line)
  if (match === null) return { kind, code: 'START_LINE_INVALID', at: 7 }
  const status = match[2]!
  const statusAt = 7 + match[1]!.length
  if (status.length !== 3 || status < '100' || status > '699') return { kind, code: 'STATUS_INVALID', at: statusAt }
  const reason = match[4]!
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(reason)) return { kind, code: 'REASON_INVALID', at: statusAt + 3 }
  if (match[3] === '' && reason !== '') return { kind, code: 'STATUS_INVALID', at: statusAt }
  if (match[1] !== ' ' && !leniency.startLineSpaces) return { kind, code: 'START_LINE_SPACES', at: 8 }
  // Only the case of the version, spaces, or the space before an empty reason was amiss.
  if (match[3] === '' && !leniency.startLineSpaces) return { kind, code: 'START_LINE_INVALID', at: line.length }
  return { kind, at: 0, rewritten: `SIP/2.0 ${status} ${reason}` }
}

function judgeRequestLine(line: string, leniency: Leniency): StartLineVerdict {
  const kind = 'request'
  const firstSpace = line.search(/[ \t]/)
  if (firstSpace < 0) return { kind, code: 'START_LINE_INVALID', at: 0 }
  const method = line.slice(0, firstSpace)
  if (!isToken(method)) return { kind, code: 'METHOD_INVALID', at: 0 }
  const trimmed = trimSpacesEnd(line)
  const lastSpace = Math.max(trimmed.lastIndexOf(' '), trimmed.lastIndexOf('\t'))
  const version = trimmed.slice(lastSpace + 1)
  if (lastSpace <= firstSpace && !/^SIP\//i.test(version))
    return { kind, method, code: 'START_LINE_INVALID', at: trimmed.length }
  if (!/^SIP\/[0-9]+\.[0-9]+$/i.test(version)) return { kind, method, code: 'START_LINE_INVALID', at: lastSpace + 1 }
  if (version.slice(4) !== '2.0') return { kind, method, code: 'VERSION_UNSUPPORTED', at: lastSpace + 5 }
  const target = trimmed.slice(firstSpace, lastSpace + 1)
  let uri = target.trim()
  const uriAt = firstSpace + (target.length - target.trimStart().length)
  if (uri === '') return { kind, method, code: 'REQUEST_URI_INVALID', at: uriAt }
  if (uri.startsWith('<') && uri.endsWith('>')) {
    if (!leniency.requestUriBrackets) return { kind, method, code: 'REQUEST_URI_BRACKETS', at: uriAt }
    uri = uri.slice(1, -1)
  }
  const inner = uri.search(/[ \t]/)
  if (inner >= 0) return { kind, method, code: 'REQUEST_URI_SPACE', at: uriAt + inner }
  const control = uri.search(/[\x00-\x1f\x7f]/)
  if (control >= 0) return { kind, method, code: 'REQUEST_URI_INVALID', at: uriAt + control }
  const hasExtraSpace = trimmed !== line || target !== ` ${target.trim()} `
  if (hasExtraSpace && !leniency.startLineSpaces) {
    const at = target.startsWith(' ') && target[1] === uri[0] ? lastSpace : firstSpace
    return { kind, method, code: 'START_LINE_SPACES', at: trimmed !== line ? trimmed.length : at }
  }
  return { kind, method, at: 0, rewritten: `${method} ${uri} SIP/2.0` }
}

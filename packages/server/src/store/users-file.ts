/**
 * The users file in the data directory: made on the first start, readable by its owner only.
 */
import { randomInt } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { isExtension } from '../config/codecs'
import { ServerError } from '../errors'
import { USERS_FILE_BYTES_MAX, USERS_MAX } from '../limits'
import { SRTP_POLICIES } from '../media/port'
import type { User } from './port'

/** The name of the users file. */
export const USERS_FILE_NAME = 'users.json'

/** The extensions that the first start makes. */
export const FIRST_EXTENSIONS = ['1001', '1002'] as const

/** What came of opening the users file. */
export interface OpenedUsersFile {
  readonly path: string
  readonly users: readonly StoredUser[]
  /** True when this call made the file. */
  readonly isNew: boolean
}

/** A user as the file keeps it. */
export interface StoredUser extends User {
  /** True while the password is the one that the server made, so that it may be printed for whoever started it. */
  readonly isGenerated: boolean
}

const fileSchema = z.strictObject({
  version: z.literal(1),
  users: z
    .array(
      z.strictObject({
        extension: z.string().refine(isExtension),
        password: z.string().min(1).max(256),
        displayName: z.string().max(128).optional(),
        srtp: z.enum(SRTP_POLICIES).optional(),
        generated: z.boolean().optional(),
      }),
    )
    .max(USERS_MAX)
    .refine(
      (users) => new Set(users.map((user) => user.extension)).size === users.length,
      'an extension appears twice',
    ),
})

/**
 * Makes the data directory with mode 0700, if it is not there.
 *
 * @throws ServerError with code DATA_DIR_UNUSABLE
 */
export function ensureDataDir(dataDir: string): void {
  try {
    makeDir(dataDir)
    if (!statSync(dataDir).isDirectory()) throw new Error('it is not a directory')
  } catch (error) {
    throw new ServerError('DATA_DIR_UNUSABLE', `data directory ${dataDir} cannot be used: ${reasonOf(error)}`)
  }
}

/** As `mkdir -p`. Node's own recursive way never ends where a parent exists but takes no entries, such as /proc. */
function makeDir(path: string): void {
  if (existsSync(path)) return
  const parent = dirname(path)
  if (!existsSync(parent)) makeDir(parent)
  mkdirSync(path, { mode: 0o700 })
}

/**
 * Opens the users file of a data directory; makes both on the first start, with a random password for each of the
 * first extensions. A half-written file is never left behind.
 *
 * @throws ServerError with code DATA_DIR_UNUSABLE or USERS_FILE_INVALID
 */
export function openUsersFile(dataDir: string): OpenedUsersFile {
  ensureDataDir(dataDir)
  const path = join(dataDir, USERS_FILE_NAME)
  const text = readText(path)
  if (text !== undefined) return { path, users: parseUsers(path, text), isNew: false }
  const users = FIRST_EXTENSIONS.map((extension) => ({ extension, password: readablePassword(), isGenerated: true }))
  writeUsers(path, users)
  return { path, users, isNew: true }
}

function readText(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found) return undefined
  try {
    if (found.size > USERS_FILE_BYTES_MAX) throw new Error(`it is longer than ${USERS_FILE_BYTES_MAX} bytes`)
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new ServerError('DATA_DIR_UNUSABLE', `users file ${path} cannot be read: ${reasonOf(error)}`)
  }
}

function parseUsers(path: string, text: string): StoredUser[] {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new ServerError('USERS_FILE_INVALID', `users file ${path} is not JSON`)
  }
  const result = fileSchema.safeParse(json)
  if (!result.success) {
    const issue = result.error.issues[0]
    const where = issue && issue.path.length > 0 ? ` at ${issue.path.join('.')}` : ''
    const form = '{"version": 1, "users": [{"extension": "1001", "password": "…"}]}, each extension once'
    throw new ServerError('USERS_FILE_INVALID', `users file ${path} is not valid${where}; it accepts ${form}`)
  }
  return result.data.users.map(({ extension, password, displayName, srtp, generated }) => ({
    extension,
    password,
    ...(displayName === undefined ? {} : { displayName }),
    ...(srtp === undefined ? {} : { srtp }),
    isGenerated: generated === true,
  }))
}

function writeUsers(path: string, users: readonly StoredUser[]): void {
  const rows = users.map(({ extension, password, isGenerated }) => ({ extension, password, generated: isGenerated }))
  const temporary = `${path}.${process.pid}.tmp`
  try {
    const file = openSync(temporary, 'wx', 0o600)
    try {
      writeFileSync(file, `${JSON.stringify({ version: 1, users: rows }, undefined, 2)}\n`)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    chmodSync(temporary, 0o600)
    renameSync(temporary, path)
  } catch (error) {
    throw new ServerError('DATA_DIR_UNUSABLE', `users file ${path} cannot be written: ${reasonOf(error)}`)
  }
}

/** Letters and digits that nobody takes for one another when they are read from a screen and typed into a phone. */
const READABLE = 'abcdefghijkmnpqrstuvwxyz23456789'

/** Sixteen characters of 32: 80 bits, in groups of four. */
function readablePassword(): string {
  const group = () => Array.from({ length: 4 }, () => READABLE[randomInt(READABLE.length)]).join('')
  return [group(), group(), group(), group()].join('-')
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return code ?? message
}

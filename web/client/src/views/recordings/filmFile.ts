import { sha256 } from '@/lib/sha256'
import { Problem } from '@/protocol/problem'

/** A film that was chosen, and by what it is known when it is chosen again. */
export interface FilmFile {
  file: File
  fingerprint: string
}

const PIECE_BYTES = 1024 * 1024
const PIECES = 6

/** In memory: a file that was moved or changed since it was chosen would look like a broken line for ever. */
export async function read(piece: Blob): Promise<Blob> {
  try {
    return new Blob([await piece.arrayBuffer()])
  } catch {
    throw new Problem('upload_file_unreadable')
  }
}

/**
 * Known by its size and by pieces of it, the first, the last and some between: cameras cut films into files of exactly
 * the same size. Without a digest it is when they were written that differs.
 */
export async function filmFile(file: File): Promise<FilmFile> {
  const apart = Math.max(0, file.size - PIECE_BYTES) / (PIECES - 1)
  const pieces = Array.from({ length: PIECES }, (_, number) => {
    const begin = Math.round(number * apart)
    return file.slice(begin, begin + PIECE_BYTES)
  })
  const digest = await sha256(await read(new Blob([`${file.size}\n`, ...pieces])))
  const fingerprint = digest
    ? Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
    : `${file.size}-${file.lastModified}`
  return { file, fingerprint }
}

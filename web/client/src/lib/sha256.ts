/** The digest; undefined where the page came neither by TLS nor from this machine: browsers reckon none there. */
export async function sha256(bytes: Blob): Promise<Uint8Array | undefined> {
  if (!globalThis.isSecureContext) return undefined
  return new Uint8Array(await crypto.subtle.digest('SHA-256', await bytes.arrayBuffer()))
}

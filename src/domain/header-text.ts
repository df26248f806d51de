/** An id as a header can carry it: as it stands where it is printable ASCII, else percent-encoded UTF-8. */
export function headerText(id: string): string {
  return printableAscii.test(id) ? id : encodeURIComponent(id.toWellFormed());
}

/** What `headerText` wrote; a text that it did not write as it stands. */
export function textOfHeader(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const printableAscii = /^[\x21-\x7e]*$/;

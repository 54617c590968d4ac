// Loaded before the proxy. It ends when its standard input does, so that it never outlives whoever started it, and it prints
// every answer of its own: what was violated, in one line.
import http from "node:http";

process.stdin.resume();
process.stdin.on("end", () => process.exit());

const { end } = http.ServerResponse.prototype;
http.ServerResponse.prototype.end = function (body, ...rest) {
  const problem = this.getHeader("content-type") === "application/problem+json" ? body : undefined;
  const violation = this.getHeader("sl-violations") ?? problem;
  if (violation) console.log(`VIOLATION ${this.req.method} ${this.req.url} ${violation}`);
  return end.call(this, body, ...rest);
};

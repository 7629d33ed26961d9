import fc from 'fast-check';

// A gate that fails must fail again. Random cases are the business of `npm run test:fuzz`, which prints its seed.
fc.configureGlobal({ seed: 20_250_301 });

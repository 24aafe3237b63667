// Package sim plays histories of one archive: several machines back up trees that change meanwhile, others read, and the storage
// between them loses requests and answers, repeats and reorders them, lists objects late, runs full and crashes. A history is
// a function of its seed. It runs in a bubble of testing/synctest: whenever all goroutines wait, the scheduler takes one of
// the requests that they wait for, and decides by the seed what becomes of it. So thousands of histories take a minute, and
// one that fails can be played again:
//
//	go test ./integration/sim -run TestHistories -sim.seed=N
//
// What is checked: at each object, that what it refers to is there and would outlast a crash; at each step, that no object
// changes and that no incomplete band shrinks; at the end, that every complete band has exactly what its source had, and that the
// next backup ends well. The bugs that planted_test.go plants show that the checks find something.
//
// The package stands on the writer and the readers, and on nothing that only commands have.
package sim
